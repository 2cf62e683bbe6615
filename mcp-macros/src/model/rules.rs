//! What `#[arg(..)]` declares of an argument's value, checked as far as literals show what it says.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, LitStr, PathArguments, RangeLimits, Type, TypePath};

use super::number::{Number, Plain};
use crate::attr::{DefaultWord, RangeWord};
use crate::diagnostics::{Mistakes, Noted, shown};

const TOO_LARGE: &str = "this number is too large for JSON: write one that 64 bits hold";
const NO_NUMBER: &str = "no number is within this range: write the smaller end first";
const NO_LENGTH: &str = "no length is within this range: write the smaller end first";

/// The rules of one argument.
pub(crate) struct Rules {
    pub(crate) default: Option<Standin>,
    pub(crate) range: Option<Range>,
    pub(crate) length: Option<Length>,
}

/// What stands in for an argument that the client did not give.
pub(crate) enum Standin {
    /// The type's own default.
    OfType(Span),
    /// A literal, which the schema shows as it is.
    Literal(Expr, Json),
    /// A string literal, for whatever type can be made of one.
    Text(LitStr),
    /// An expression, which the schema shows as what it evaluates to.
    Computed(Expr),
}

/// A literal as JSON.
#[derive(Clone, Copy)]
pub(crate) enum Json {
    Number(Number),
    Bool(bool),
    Char(char),
}

/// `range(..)`.
pub(crate) struct Range {
    pub(crate) word: Ident,
    pub(crate) minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
    /// The number that values stay below.
    pub(crate) below: Option<Number>,
}

/// `length(..)`.
pub(crate) struct Length {
    pub(crate) word: Ident,
    pub(crate) least: Option<u64>,
    pub(crate) most: Option<u64>,
}

impl Rules {
    /// What is wrong is noted, and left out.
    pub(super) fn new(
        default: Option<DefaultWord>,
        range: Option<RangeWord>,
        length: Option<RangeWord>,
        ty: &Type,
        mistakes: &mut Mistakes,
    ) -> Self {
        let range = range.and_then(|words| Range::new(words, ty, mistakes).ok());
        let length = length.and_then(|words| Length::new(words, mistakes).ok());
        let default = default.and_then(|word| {
            check_not_option(&word, ty, mistakes);
            Standin::new(word, ty, mistakes).ok()
        });
        match &default {
            Some(Standin::Literal(place, Json::Number(number))) => {
                if let Some(range) = range.as_ref().filter(|range| !range.contains(*number)) {
                    mistakes.on(place, format!("the default must be {}, as `range` says", range.in_words()));
                }
            }
            Some(Standin::Text(literal)) => {
                if let Some(length) = &length {
                    length.check(literal, mistakes);
                }
            }
            _ => {}
        }
        Self { default, range, length }
    }
}

fn check_not_option(default: &DefaultWord, ty: &Type, mistakes: &mut Mistakes) {
    let Type::Path(TypePath { path, .. }) = ty else { return };
    let Some(segment) = path.segments.last().filter(|segment| segment.ident == "Option") else { return };
    let inner = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => shown(&arguments.args),
        _ => "..".to_owned(),
    };
    mistakes.on(
        &default.word,
        format!(
            "an `Option` that is not given is `None`: leave `default` out, or write `{inner}` as the type"
        ),
    );
}

impl Standin {
    fn new(word: DefaultWord, ty: &Type, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let Some(value) = word.value else { return Ok(Self::OfType(word.word.span())) };
        let plain = Plain::of(ty);
        let place = value.to_token_stream();
        let standin = match (Number::of(&value), &value) {
            (Some(number), _) => {
                check_number(number, &place, plain, mistakes)?;
                Self::Literal(value, Json::Number(number))
            }
            (None, Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. })) => {
                let json = Json::Bool(literal.value);
                Self::Literal(value, json)
            }
            (None, Expr::Lit(ExprLit { lit: Lit::Char(literal), .. })) => {
                let json = Json::Char(literal.value());
                Self::Literal(value, json)
            }
            (None, Expr::Lit(ExprLit { lit: Lit::Str(literal), .. })) => Self::Text(literal.clone()),
            (None, _) => Self::Computed(value),
        };
        match plain {
            Some(plain) if !standin.may_be(plain) => {
                let shown = shown(ty);
                let article = if shown.starts_with(['i', 'f']) { "an" } else { "a" };
                let message = format!("the default of {article} `{shown}` is {}", plain.example());
                Err(mistakes.on(place, message))
            }
            _ => Ok(standin),
        }
    }

    /// Whether this can be a value of the type, as far as it shows.
    fn may_be(&self, plain: Plain) -> bool {
        match self {
            Self::Literal(_, Json::Number(Number::Integer(_))) => matches!(plain, Plain::Integer { .. }),
            Self::Literal(_, Json::Number(Number::Float(_))) => plain == Plain::Float,
            Self::Literal(_, Json::Bool(_)) => plain == Plain::Bool,
            Self::Literal(_, Json::Char(_)) => plain == Plain::Char,
            Self::Text(_) => plain == Plain::Text,
            Self::OfType(_) | Self::Computed(_) => true,
        }
    }
}

/// Whether the type holds a number, and JSON does.
fn check_number(
    number: Number,
    place: &impl ToTokens,
    plain: Option<Plain>,
    mistakes: &mut Mistakes,
) -> Result<(), Noted> {
    match (plain, number) {
        (Some(Plain::Integer { least, most }), Number::Integer(integer))
            if !(least..=most).contains(&integer) =>
        {
            Err(mistakes.on(place, format!("the type holds {least} to {most}: write a number within")))
        }
        _ if !number.is_json() => Err(mistakes.on(place, TOO_LARGE)),
        _ => Ok(()),
    }
}

impl Range {
    fn new(words: RangeWord, ty: &Type, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let RangeWord { word, range } = words;
        let plain = Plain::of(ty);
        let is_closed = matches!(range.limits, RangeLimits::Closed(_));
        let start = bound(range.start.as_deref(), mistakes, |number, place, mistakes| {
            check_number(number, place, plain, mistakes)
        });
        let end = bound(range.end.as_deref(), mistakes, |number, place, mistakes| match plain {
            // One more than the most is how an open range includes it.
            Some(Plain::Integer { least, most }) if !is_closed => {
                check_number(number, place, Some(Plain::Integer { least, most: most + 1 }), mistakes)
            }
            _ => check_number(number, place, plain, mistakes),
        });
        let (start, end) = (start?, end?);
        match (start, end) {
            (None, None) => {
                let message = "this range allows every number: write its ends, such as `range(0..=10)`";
                return Err(mistakes.on(&range, message));
            }
            (Some(start), Some(end)) => {
                let order = start.compare(end);
                if !order.is_some_and(|order| order.is_lt() || (is_closed && order.is_eq())) {
                    return Err(mistakes.on(&range, NO_NUMBER));
                }
            }
            _ => {}
        }
        let (maximum, below) = if is_closed { (end, None) } else { (None, end) };
        Ok(Self { word, minimum: start, maximum, below })
    }

    fn contains(&self, number: Number) -> bool {
        let fits = |bound: Option<Number>, holds: fn(std::cmp::Ordering) -> bool| {
            bound.is_none_or(|bound| number.compare(bound).is_some_and(holds))
        };
        fits(self.minimum, std::cmp::Ordering::is_ge)
            && fits(self.maximum, std::cmp::Ordering::is_le)
            && fits(self.below, std::cmp::Ordering::is_lt)
    }

    fn in_words(&self) -> String {
        let least = self.minimum.map(|minimum| format!("at least {minimum}"));
        let most = self.maximum.map(|maximum| format!("at most {maximum}"));
        let below = self.below.map(|below| format!("less than {below}"));
        [least, most, below].into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}

impl Length {
    fn new(words: RangeWord, mistakes: &mut Mistakes) -> Result<Self, Noted> {
        let RangeWord { word, range } = words;
        let check = |number: Number, place: &Expr, mistakes: &mut Mistakes| match number {
            Number::Integer(0..) if number.is_json() => Ok(()),
            Number::Integer(0..) => Err(mistakes.on(place, TOO_LARGE)),
            _ => Err(mistakes.on(place, "a length is a whole number, 0 or more: write one")),
        };
        let start = bound(range.start.as_deref(), mistakes, check);
        let end = bound(range.end.as_deref(), mistakes, check);
        let least = start?.and_then(Number::as_length);
        let end = end?.and_then(Number::as_length);
        let most = match (&range.limits, end) {
            (RangeLimits::Closed(_), end) => end,
            // The end of an open range is not within it, and below 0 there is nothing.
            (RangeLimits::HalfOpen(_), Some(0)) => return Err(mistakes.on(&range, NO_LENGTH)),
            (RangeLimits::HalfOpen(_), end) => end.map(|end| end - 1),
        };
        match (least, most) {
            (None, None) => {
                let message = "this allows every length: write its ends, such as `length(1..=200)`";
                Err(mistakes.on(&range, message))
            }
            (Some(least), Some(most)) if least > most => Err(mistakes.on(&range, NO_LENGTH)),
            _ => Ok(Self { word, least, most }),
        }
    }

    fn check(&self, default: &LitStr, mistakes: &mut Mistakes) {
        let size = default.value().chars().count() as u64;
        let wrong = if self.least.is_some_and(|least| size < least) {
            "shorter"
        } else if self.most.is_some_and(|most| size > most) {
            "longer"
        } else {
            return;
        };
        mistakes
            .on(default, format!("the default is {wrong} than `length` allows: it has {size} characters"));
    }
}

/// One end of a range, if it has one.
fn bound(
    end: Option<&Expr>,
    mistakes: &mut Mistakes,
    check: impl Fn(Number, &Expr, &mut Mistakes) -> Result<(), Noted>,
) -> Result<Option<Number>, Noted> {
    let Some(place) = end else { return Ok(None) };
    let Some(number) = Number::of(place) else {
        let message = "the schema shows this number, so it cannot be computed: write a literal";
        return Err(mistakes.on(place, message));
    };
    check(number, place, mistakes)?;
    Ok(Some(number))
}
