//! The tools: what an agent may ask of the graph. Their names and arguments are those of the Python program.

// A tool is async, whether it waits or not, and takes as many arguments as an agent may give, by the names they have.
#![allow(clippy::similar_names, clippy::too_many_arguments, clippy::unused_async)]

mod answers;
mod cursor;
mod export;
mod finding;
mod meaning;
mod memories;
mod overview;
#[cfg(test)]
mod pages;
mod relationships;
#[cfg(test)]
mod tests;
mod transfer;
mod upkeep;
mod wanted;

use mcp_runtime::Server;
use mcp_runtime::prelude::*;

pub(crate) use answers::{Neighbours, Remembered};
pub(crate) use finding::{recall_memories, search_memories};
pub(crate) use meaning::{embed_memories, semantic_search};
pub(crate) use memories::{delete_memory, get_memory, store_memory, update_memory};
pub(crate) use overview::{activity, get_memory_statistics, get_recent_activity, statistics};
pub(crate) use relationships::{create_relationship, create_relationships, get_related_memories};
pub(crate) use transfer::{export_memories, import_conversation, import_memories};
pub(crate) use upkeep::{consolidate_memories, curate_memories};

/// Offers every tool that changes nothing.
pub(crate) fn reading(server: Server) -> Server {
    server.tools(tools![
        recall_memories,
        search_memories,
        semantic_search,
        get_memory,
        get_related_memories,
        get_recent_activity,
        get_memory_statistics,
        export_memories,
    ])
}

/// Offers every tool that changes something.
pub(crate) fn writing(server: Server) -> Server {
    server.tools(tools![
        store_memory,
        update_memory,
        delete_memory,
        create_relationship,
        create_relationships,
        import_memories,
        import_conversation,
        consolidate_memories,
        curate_memories,
    ])
}

/// Offers to give vectors to memories that were there before the model was.
pub(crate) fn embedding(server: Server) -> Server {
    server.tools(tools![embed_memories])
}
