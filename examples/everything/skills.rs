//! Skills: directories with instructions for agents, whose files are resources.
//!
//! These are built into the program. `Skill::read_all(directory)` reads them from disk instead.

use mcp_runtime::Skill;

/// All skills of this server.
pub(crate) fn all() -> [Skill; 2] {
    [
        Skill::new("say-hello")
            .file("SKILL.md", include_str!("skills/say-hello/SKILL.md"))
            .file("templates/greeting.md", include_str!("skills/say-hello/templates/greeting.md")),
        Skill::new("keep-notes").file("SKILL.md", include_str!("skills/keep-notes/SKILL.md")),
    ]
}
