//! Errors of functions whose results have no word for failure: those of prompts, resources and completions.

use std::any::Any;
use std::fmt;

use crate::input::protocol_error;
use crate::protocol::ProtocolError;
use crate::tool::ToolError;

/// An error that ends a request as a JSON-RPC error: a [`ProtocolError`] as itself, any other as -32603 with its text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a prompt or a resource",
    label = "implement `std::fmt::Display` for it",
    note = "its text is the message of a JSON-RPC error; a `ProtocolError` has a code of its own"
)]
pub trait Failure {
    /// As a JSON-RPC error, with everything that its alternate form (`{:#}`) says.
    fn fail(self) -> ProtocolError;
}

#[diagnostic::do_not_recommend]
impl<E: fmt::Display + 'static> Failure for E {
    fn fail(self) -> ProtocolError {
        let this: &dyn Any = &self;
        if let Some(error) = protocol_error(this) {
            return error;
        }
        if let Some(ToolError::Protocol(error)) = this.downcast_ref::<ToolError>() {
            return error.clone();
        }
        ProtocolError::internal(format!("{self:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_error_stays_what_it_is_and_any_other_is_internal() {
        assert_eq!(ProtocolError::invalid_params("no").fail().code(), -32602);
        assert_eq!(ToolError::from(ProtocolError::invalid_params("no")).fail().code(), -32602);
        let error = ToolError::message("broken").fail();
        assert_eq!((error.code(), error.message()), (-32603, "broken"));
        assert_eq!("text".fail().message(), "text");
    }
}
