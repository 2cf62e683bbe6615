//! The checked meaning of what was declared: the attribute and the signature together.
//!
//! Every mistake that can be seen without types is raised by the time a [`Tool`] or a [`ToolSet`] is made.

mod input;
mod number;

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprLit, FnArg, Lit, LitInt, LitStr, Receiver, ReceiverKind, ReturnType, Type,
    Visibility,
};

pub(crate) use self::input::{Argument, DefaultValue, Input, Shown};
use crate::attr::{Flag, IconWords, ImplWords, TaskWords, ToolWords};
use crate::diagnostics::Mistakes;
use crate::doc::{self, Text};
use crate::signature::{Function, ImplBlock, ImplItem};

/// A function that is a tool.
pub(crate) struct Tool {
    pub(crate) function: Ident,
    pub(crate) visibility: Visibility,
    /// The `#[cfg(..)]` under which the function exists.
    pub(crate) conditions: Vec<Attribute>,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Text,
    pub(crate) hints: Hints,
    pub(crate) icons: Vec<Icon>,
    pub(crate) task: TaskPolicy,
    pub(crate) this: This,
    pub(crate) is_blocking: bool,
    pub(crate) inputs: Vec<Input>,
    pub(crate) output: Type,
}

/// What the attribute says of the tool's behaviour.
pub(crate) struct Hints {
    pub(crate) read_only: Option<bool>,
    pub(crate) destructive: Option<bool>,
    pub(crate) idempotent: Option<bool>,
    pub(crate) open_world: Option<bool>,
}

pub(crate) struct Icon {
    pub(crate) src: String,
    pub(crate) mime_type: Option<String>,
    pub(crate) sizes: Vec<String>,
}

/// What the attribute says of tasks; all of it may be nothing.
#[derive(Default)]
pub(crate) struct TaskPolicy {
    pub(crate) support: Option<TaskSupport>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) poll: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) concurrency: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskSupport {
    Optional,
    Required,
}

/// What a function is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum This {
    /// Nothing: a function of a module.
    Module,
    /// Its type: a function of an impl block without `self`.
    Type,
    /// `&self`.
    Reference,
    /// `self: Arc<Self>`.
    Shared,
}

/// The methods of one impl block that are tools.
pub(crate) struct ToolSet {
    pub(crate) self_type: Type,
    /// The function that lists them.
    pub(crate) list: Ident,
    pub(crate) visibility: Visibility,
    pub(crate) tools: Vec<Tool>,
}

impl Tool {
    /// A function of a module.
    pub(crate) fn of_function(
        function: &Function,
        words: ToolWords,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        Self::new(function, words, This::Module, mistakes)
    }

    /// A function of an impl block.
    fn of_method(function: &Function, words: ToolWords, mistakes: &mut Mistakes) -> Option<Self> {
        let this = match function.signature.inputs.first() {
            Some(FnArg::Receiver(receiver)) => receiver_kind(receiver, mistakes),
            _ => This::Type,
        };
        Self::new(function, words, this, mistakes)
    }

    /// Gives nothing only if mistakes were noted, and then perhaps some anyway.
    fn new(function: &Function, words: ToolWords, this: This, mistakes: &mut Mistakes) -> Option<Self> {
        let ident = &function.signature.ident;
        check_modifiers(function, words.blocking.as_ref(), mistakes);
        let output = output(function, mistakes);
        let inputs = input::of(function, mistakes);
        let name = name(ident, words.name.as_ref(), mistakes);
        let description = description(function, words.description, mistakes);
        let hints =
            Hints::new(words.read_only, words.destructive, words.idempotent, words.open_world, mistakes);
        let icons = words.icons.iter().map(|icon| Icon::new(icon, mistakes)).collect();
        let task = TaskPolicy::new(words.task, words.timeout, mistakes);
        Some(Self {
            function: ident.clone(),
            visibility: function.visibility.clone(),
            conditions: function.conditions().cloned().collect(),
            name,
            title: words.title.map(|title| title.value()),
            description: description?,
            hints,
            icons,
            task,
            this,
            is_blocking: words.blocking.is_some(),
            inputs: inputs?,
            output: output?,
        })
    }
}

impl ToolSet {
    pub(crate) fn new(block: &ImplBlock, words: &ImplWords, mistakes: &mut Mistakes) -> Option<Self> {
        let header = &block.header;
        if let Some((path, _)) = &header.trait_ {
            mistakes.on(
                path,
                "the methods of a trait cannot be tools: write them in an `impl` block of the type itself",
            );
        }
        if !header.generics.params.is_empty() {
            mistakes.on(
                &header.generics,
                "a generic type cannot have tools, because they are one state and one list: write the impl for one \
                 type, such as `impl Graph<Memory>`",
            );
        }
        let list = list_name(block, words, mistakes);
        let mut tools: Vec<Tool> = Vec::new();
        let mut found = false;
        for item in &block.items {
            let ImplItem::Tool(function, tokens) = item else { continue };
            found = true;
            let name = function.signature.ident.clone();
            let words = ToolWords::read(tokens.clone(), mistakes);
            let place = words.name.as_ref().map_or_else(|| name.span(), Spanned::span);
            let Some(tool) = Tool::of_method(function, words, mistakes) else { continue };
            // Of two with conditions perhaps only one exists.
            let is_certain = |other: &Tool| tool.conditions.is_empty() || other.conditions.is_empty();
            if tools.iter().any(|other| other.name == tool.name && is_certain(other)) {
                mistakes.at(place, format!("there are two tools named `{}` in this impl block", tool.name));
            }
            tools.push(tool);
        }
        if !found {
            let place = &header.self_ty;
            mistakes.on(place, "no method here is a tool: write `#[tool]` above each one that is to be one");
        }
        Some(Self {
            self_type: (*header.self_ty).clone(),
            list: list?,
            visibility: widest(tools.iter().map(|tool| &tool.visibility)),
            tools,
        })
    }
}

/// The name of the function that lists the tools.
fn list_name(block: &ImplBlock, words: &ImplWords, mistakes: &mut Mistakes) -> Option<Ident> {
    let list = match &words.list {
        None => Ident::new("tools", Span::call_site()),
        Some(literal) => match literal.parse_with(Ident::parse_any) {
            Ok(ident) => ident,
            Err(_) => {
                mistakes.on(literal, "the list is a function, so it needs a name such as `admin_tools`");
                return None;
            }
        },
    };
    for item in &block.items {
        let ident = match item {
            ImplItem::Tool(function, _) => &function.signature.ident,
            ImplItem::Function(ident, _) => ident,
            ImplItem::Other(_) => continue,
        };
        if *ident == list {
            mistakes.on(
                ident,
                format!(
                    "the list of the tools is a function `{list}`, too: give it another name, \
                     `#[tool(list = \"all_{list}\")] impl ..`"
                ),
            );
        }
    }
    Some(list)
}

/// The visibility that shows most.
fn widest<'a>(visibilities: impl Iterator<Item = &'a Visibility>) -> Visibility {
    let width = |visibility: &Visibility| match visibility {
        Visibility::Public(_) => 3,
        Visibility::Restricted(restricted) if restricted.path.is_ident("crate") => 2,
        Visibility::Restricted(_) => 1,
        Visibility::Inherited => 0,
    };
    visibilities.max_by_key(|visibility| width(visibility)).cloned().unwrap_or(Visibility::Inherited)
}

fn receiver_kind(receiver: &Receiver, mistakes: &mut Mistakes) -> This {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => return This::Reference,
        ReceiverKind::Typed(_, ty) if quote!(#ty).to_string().replace(' ', "").ends_with("Arc<Self>") => {
            return This::Shared;
        }
        ReceiverKind::Reference(..) => mistakes.on(
            receiver,
            "calls run side by side and share `self`: take `&self`, and keep what changes in a `Mutex` or an atomic",
        ),
        _ => mistakes.on(receiver, "calls share `self`: take `&self`, or `self: Arc<Self>` to keep it for longer"),
    }
    This::Reference
}

/// What comes before and behind `fn`.
fn check_modifiers(function: &Function, blocking: Option<&Ident>, mistakes: &mut Mistakes) {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        mistakes.on(constness, "a tool runs when it is called, so it cannot be `const`: remove it");
    }
    if let syn::Safety::Unsafe(unsafety) = &signature.safety {
        mistakes.on(
            unsafety,
            "a model calls tools with whatever arguments it likes, so a tool cannot be `unsafe`: remove it, and check \
             the arguments",
        );
    }
    if let Some(abi) = &signature.abi {
        mistakes.on(abi, "a tool is called from Rust: remove this");
    }
    if let Some(variadic) = &signature.variadic {
        mistakes.on(variadic, "a tool has a fixed list of arguments: take a `Vec<..>` for a list of values");
    }
    if !signature.generics.params.is_empty() {
        mistakes.on(
            &signature.generics,
            "a tool cannot be generic, because a client only names it: write the types that it takes",
        );
    }
    if !function.has_body() {
        mistakes
            .on(&signature.ident, "a tool needs a body: a method that a trait only declares cannot be one");
    }
    match (&signature.asyncness, blocking) {
        (Some(_), Some(word)) => mistakes.on(
            word,
            "`blocking` is for a plain `fn`: leave it out, or leave out `async` if the function blocks its thread",
        ),
        (None, None) if signature.constness.is_none() && signature.abi.is_none() => mistakes.on(
            signature.fn_token,
            "a tool is an `async fn`: write `async fn`, or `#[tool(blocking)]` if the function blocks its thread",
        ),
        _ => {}
    }
}

fn output(function: &Function, mistakes: &mut Mistakes) -> Option<Type> {
    let ty = match &function.signature.output {
        ReturnType::Default => {
            return Some(syn::parse_quote_spanned!(function.signature.ident.span()=> ()));
        }
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    if let Some(keyword) = input::keyword(ty.to_token_stream(), "impl") {
        // A function that gives `impl Future` has been told already to be an `async fn`.
        if function.signature.asyncness.is_some() {
            mistakes
                .at(keyword, "a tool says which type it gives: write the type itself in place of `impl ..`");
        }
        return None;
    }
    Some(ty)
}

fn name(function: &Ident, given: Option<&LitStr>, mistakes: &mut Mistakes) -> String {
    let (name, place) = match given {
        Some(literal) => (literal.value(), literal.span()),
        None => (function.unraw().to_string(), function.span()),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let rule = "a tool's name is 1 to 128 of the letters A to Z and a to z, digits, `_`, `-` and `.`";
    if let Some(wrong) = name.chars().find(|c| !allowed(*c)) {
        let how = if given.is_none() { ": say another with `#[tool(name = \"..\")]`" } else { "" };
        mistakes.at(place, format!("{rule}, and {wrong:?} is none of them{how}"));
    } else if name.is_empty() || name.len() > 128 {
        mistakes.at(place, format!("{rule}, and this one has {}", name.len()));
    }
    name
}

fn description(function: &Function, given: Option<Expr>, mistakes: &mut Mistakes) -> Option<Text> {
    let ident = &function.signature.ident;
    let (text, place) = match given {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(literal), .. })) => {
            (Text::Literal(literal.value()), literal.span())
        }
        Some(expression) => return Some(Text::Computed(expression.into_token_stream())),
        None => match doc::text(&function.attributes) {
            Some(found) => found,
            None => {
                mistakes.on(
                    ident,
                    format!(
                        "a model chooses tools by what they say of themselves: describe `{}` in a doc comment (`/// ..`), \
                         or by `description = \"..\"`",
                        ident.unraw()
                    ),
                );
                return None;
            }
        },
    };
    if text.is_blank() {
        mistakes
            .at(place, "this description is empty: say in a sentence what the tool does, and when to use it");
        return None;
    }
    Some(text)
}

impl Hints {
    fn new(
        read_only: Option<Flag>,
        destructive: Option<Flag>,
        idempotent: Option<Flag>,
        open_world: Option<Flag>,
        mistakes: &mut Mistakes,
    ) -> Self {
        if let (Some(Flag { value: true, .. }), Some(Flag { word, value: true })) = (&read_only, &destructive)
        {
            mistakes.on(word, "a tool that is `read_only` destroys nothing: leave one of the two out");
        }
        let value = |flag: Option<Flag>| flag.map(|flag| flag.value);
        Self {
            read_only: value(read_only),
            destructive: value(destructive),
            idempotent: value(idempotent),
            open_world: value(open_world),
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        [self.read_only, self.destructive, self.idempotent, self.open_world].iter().all(Option::is_none)
    }
}

impl Icon {
    fn new(words: &IconWords, mistakes: &mut Mistakes) -> Self {
        let src = words.src.value();
        if !["https:", "http:", "data:"].iter().any(|scheme| src.starts_with(scheme)) {
            mistakes.on(
                &words.src,
                "clients show icons from `https:` and `data:` addresses: write a whole address",
            );
        }
        for size in &words.sizes {
            let text = size.value();
            let is_size = text.split_once('x').is_some_and(|(width, height)| {
                [width, height]
                    .iter()
                    .all(|side| !side.is_empty() && side.bytes().all(|byte| byte.is_ascii_digit()))
            });
            if !is_size && text != "any" {
                mistakes.on(size, "write a size as `\"48x48\"`, or `\"any\"` for a picture that scales");
            }
        }
        Self {
            src,
            mime_type: words.mime_type.as_ref().map(LitStr::value),
            sizes: words.sizes.iter().map(LitStr::value).collect(),
        }
    }
}

impl TaskPolicy {
    fn new(task: Option<TaskWords>, timeout: Option<LitStr>, mistakes: &mut Mistakes) -> Self {
        let is_task = task.is_some();
        let task = task.unwrap_or_default();
        if let (Some(_), Some(again)) = (&timeout, &task.timeout) {
            mistakes.on(again, "`timeout` is said twice: leave one of them out");
        }
        let required = if task.required { TaskSupport::Required } else { TaskSupport::Optional };
        Self {
            support: is_task.then_some(required),
            ttl: task.ttl.and_then(|literal| duration(&literal, mistakes)),
            poll: task.poll.and_then(|literal| duration(&literal, mistakes)),
            timeout: timeout.or(task.timeout).and_then(|literal| duration(&literal, mistakes)),
            concurrency: task.concurrency.and_then(|literal| count(&literal, mistakes)),
        }
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.support.is_none() && self.timeout.is_none()
    }
}

fn duration(literal: &LitStr, mistakes: &mut Mistakes) -> Option<Duration> {
    match humantime::parse_duration(&literal.value()) {
        Ok(duration) if duration.is_zero() => {
            mistakes
                .on(literal, "this is no time at all: write one such as `\"30s\"`, or leave the word out");
            None
        }
        Ok(duration) => Some(duration),
        Err(_) => {
            mistakes.on(literal, "write a time such as `\"500ms\"`, `\"30s\"`, `\"5min\"` or `\"1h 30min\"`");
            None
        }
    }
}

fn count(literal: &LitInt, mistakes: &mut Mistakes) -> Option<usize> {
    match literal.base10_parse() {
        Ok(0) => {
            mistakes
                .on(literal, "with 0 at once no task would ever run: write 1 or more, or leave the word out");
            None
        }
        Ok(count) => Some(count),
        Err(error) => {
            mistakes.add(error);
            None
        }
    }
}

/// The function as its author wrote it, for messages about types.
pub(crate) fn shown(tokens: impl ToTokens) -> String {
    let text: TokenStream = tokens.to_token_stream();
    let mut shown = text.to_string();
    for (spaced, tight) in
        [(" <", "<"), ("< ", "<"), (" >", ">"), (" ::", "::"), (":: ", "::"), (" ,", ","), ("& ", "&")]
    {
        shown = shown.replace(spaced, tight);
    }
    shown
}
