//! Values that a server holds for its tools, found by type.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value that the server holds for its tools; a parameter of this type is filled by the server.
///
/// It is a shared reference: cheap to clone, and `T` is reached by dereferencing. The value is given to the server
/// once, with [`Server::state`](crate::Server::state).
///
/// ```
/// use mcp_runtime::prelude::*;
///
/// struct Greeting(String);
///
/// /// Greet somebody.
/// #[tool]
/// async fn greet(
///     /// Whom to greet.
///     name: String,
///     greeting: State<Greeting>,
/// ) -> String {
///     format!("{}, {name}!", greeting.0)
/// }
///
/// let server = Server::new("greeter", "1.0.0").state(Greeting("Hello".into())).tools(tools![greet]);
/// # let _ = server;
/// ```
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// Wraps a value, for tests that call a tool's function themselves.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// The shared value itself.
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for State<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0).finish()
    }
}

/// A type that can be state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be state",
    label = "must be `Send` and `Sync`, because calls on several threads share it",
    note = "put what changes behind a lock such as `std::sync::Mutex`, and use `Arc` in place of `Rc`"
)]
pub trait Shared: Sized {
    /// Declares that a tool, a prompt or a resource asks for it.
    fn declare<D: Asks>(definition: D) -> D;

    /// Finds it.
    fn find(states: &States) -> State<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Shared for T {
    fn declare<D: Asks>(definition: D) -> D {
        definition.asks(StateKey::of::<Self>())
    }

    fn find(states: &States) -> State<Self> {
        states.get()
    }
}

/// What can declare that it asks for state: the definitions of tools, prompts and resources.
pub trait Asks: Sized {
    /// Adds one type.
    #[must_use]
    fn asks(self, key: StateKey) -> Self;
}

/// The values that a server holds, by type.
#[derive(Default)]
pub struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

/// A type that somebody asks for as [`State`].
#[derive(Clone, Copy, Debug)]
pub struct StateKey {
    id: TypeId,
    name: &'static str,
}

impl StateKey {
    pub(crate) fn of<T: 'static>() -> Self {
        Self { id: TypeId::of::<T>(), name: type_name::<T>() }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        self.name
    }
}

impl States {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> bool {
        self.0.insert(TypeId::of::<T>(), Arc::new(value)).is_some()
    }

    pub(crate) fn holds(&self, key: &StateKey) -> bool {
        self.0.contains_key(&key.id)
    }

    /// The value of this type.
    ///
    /// # Panics
    ///
    /// If the server holds none. A server checks this for every tool when it is built, by
    /// [`ToolDefinition::state`](crate::dynamic::ToolDefinition::state), so a tool that declares what it asks for never
    /// sees it.
    pub fn get<T: Send + Sync + 'static>(&self) -> State<T> {
        let found = self.0.get(&TypeId::of::<T>()).cloned().and_then(|value| value.downcast::<T>().ok());
        match found {
            Some(value) => State(value),
            None => panic!("no state of type `{}` was given to the server", type_name::<T>()),
        }
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}
