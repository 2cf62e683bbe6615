//! The checked meaning of what was declared: the attribute and the signature together.
//!
//! Every mistake that can be seen without types is noted by the time a [`Declaration`] or a [`Set`] is made.

mod behaviour;
mod function;
mod input;
mod number;
mod resource;
mod rules;
mod set;
mod template;
mod told;

use proc_macro2::Ident;
use syn::{Attribute, Type, Visibility};

pub(crate) use self::behaviour::{Icon, TaskPolicy, TaskSupport, ToolAnnotations};
pub(crate) use self::function::This;
pub(crate) use self::input::{Argument, Input, bare};
pub(crate) use self::resource::Resource;
pub(crate) use self::rules::{Json, Standin};
pub(crate) use self::set::{List, Set};
use crate::attr::{OwnWords, Words};
use crate::diagnostics::{Mistakes, Noted};
use crate::doc::Text;
use crate::kind::Kind;
use crate::signature::Function;

/// A function that is a tool, a prompt or a resource.
pub(crate) struct Declaration {
    pub(crate) function: Ident,
    pub(crate) visibility: Visibility,
    /// The `#[cfg(..)]` under which the function exists.
    pub(crate) conditions: Vec<Attribute>,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Text,
    pub(crate) icons: Vec<Icon>,
    pub(crate) task: TaskPolicy,
    pub(crate) this: This,
    pub(crate) is_blocking: bool,
    pub(crate) inputs: Vec<Input>,
    pub(crate) output: Type,
    pub(crate) own: Own,
}

/// What only one kind has.
pub(crate) enum Own {
    Tool(ToolAnnotations),
    Prompt,
    Resource(Resource),
}

impl Declaration {
    /// A function of a module.
    pub(crate) fn of_function(
        function: &Function,
        words: Words,
        mistakes: &mut Mistakes,
    ) -> Result<Self, Noted> {
        Self::new(function, words, Ok(This::Module), mistakes)
    }

    /// A function of an impl block.
    fn of_method(function: &Function, words: Words, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let this = This::of_method(function, mistakes);
        Self::new(function, words, this, mistakes)
    }

    /// Looks at everything before it gives up on anything.
    fn new(
        function: &Function,
        words: Words,
        this: Result<This, Noted>,
        mistakes: &mut Mistakes,
    ) -> Result<Self, Noted> {
        let kind = words.kind();
        let Words { common: words, own } = words;
        let ident = &function.signature.ident;
        let name = told::name(kind, ident, words.name.as_ref(), mistakes);
        let description = told::description(kind, function, words.description, mistakes);
        let icons = words.icons.iter().map(|icon| Icon::new(icon, mistakes)).collect();
        let task = TaskPolicy::new(kind, words.task, words.timeout, mistakes);
        let form = function::check_form(kind, function, words.blocking.as_ref(), mistakes);
        let inputs = input::of(kind, function, mistakes);
        let own = match own {
            OwnWords::Tool(words) => Ok(Own::Tool(ToolAnnotations::new(words, mistakes))),
            OwnWords::Prompt => Ok(Own::Prompt),
            OwnWords::Resource(words) => {
                Resource::new(words, function, inputs.as_deref(), mistakes).map(Own::Resource)
            }
        };
        let output = function::output(kind, function, form, mistakes);
        Ok(Self {
            function: ident.clone(),
            visibility: function.visibility.clone(),
            conditions: function.conditions().cloned().collect(),
            name,
            title: words.title.map(|title| title.value()),
            description: description?,
            icons,
            task,
            this: this?,
            is_blocking: words.blocking.is_some(),
            inputs: inputs?,
            output: output?,
            own: own?,
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.own {
            Own::Tool(_) => Kind::Tool,
            Own::Prompt => Kind::Prompt,
            Own::Resource(_) => Kind::Resource,
        }
    }

    /// What the client gives by name, in order.
    pub(crate) fn arguments(&self) -> Vec<&Argument> {
        self.inputs
            .iter()
            .filter_map(|input| if let Input::Argument(argument) = input { Some(&**argument) } else { None })
            .collect()
    }
}
