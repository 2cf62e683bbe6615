//! Numbers and ranges as far as they are literals, so that a rule that cannot hold is found before the program runs.

use std::cmp::Ordering;
use std::fmt;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, ExprLit, ExprUnary, Lit, Type, UnOp};

/// A number in the program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// The number that an expression is, if it is a literal, with or without a sign.
    pub(crate) fn of(expression: &Expr) -> Option<Self> {
        match expression {
            Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) if is_float(literal.suffix()) => {
                literal.base10_digits().parse().ok().map(Self::Float)
            }
            // What is larger yet is as good as the largest: JSON holds neither.
            Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => {
                Some(Self::Integer(literal.base10_parse().unwrap_or(i128::MAX)))
            }
            Expr::Lit(ExprLit { lit: Lit::Float(literal), .. }) => {
                literal.base10_parse().ok().map(Self::Float)
            }
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => Some(match Self::of(expr)? {
                Self::Integer(number) => Self::Integer(-number),
                Self::Float(number) => Self::Float(-number),
            }),
            Expr::Paren(inner) => Self::of(&inner.expr),
            Expr::Group(inner) => Self::of(&inner.expr),
            _ => None,
        }
    }

    /// Whether JSON as this project reads it can hold the number.
    pub(crate) fn is_json(self) -> bool {
        match self {
            Self::Integer(number) => i64::try_from(number).is_ok() || u64::try_from(number).is_ok(),
            Self::Float(number) => number.is_finite(),
        }
    }

    /// The number as a length, if it can be one.
    pub(crate) fn as_length(self) -> Option<u64> {
        match self {
            Self::Integer(number) => number.try_into().ok(),
            Self::Float(_) => None,
        }
    }

    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => Some(one.cmp(&other)),
            (one, other) => one.as_float().partial_cmp(&other.as_float()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "bounds beside a float are compared as floats")]
    pub(super) fn as_float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

fn is_float(suffix: &str) -> bool {
    matches!(suffix, "f32" | "f64")
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => write!(f, "{number:?}"),
        }
    }
}

impl ToTokens for Number {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match *self {
            Self::Integer(number) => match i64::try_from(number) {
                Ok(number) => number.to_tokens(tokens),
                Err(_) => u64::try_from(number).unwrap_or(u64::MAX).to_tokens(tokens),
            },
            Self::Float(number) => number.to_tokens(tokens),
        }
    }
}

/// A plain type of the language, known by how it is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    Integer { least: i128, most: i128 },
    Float,
    Bool,
    Text,
    Char,
}

impl Plain {
    /// The plain type that a type is spelled as. An alias is not seen through, and simply not checked here.
    pub(crate) fn of(ty: &Type) -> Option<Self> {
        let Type::Path(path) = ty else { return None };
        let name = path.path.get_ident()?.to_string();
        let integer = |least: i128, most: i128| Some(Self::Integer { least, most });
        match name.as_str() {
            "i8" => integer(i8::MIN.into(), i8::MAX.into()),
            "i16" => integer(i16::MIN.into(), i16::MAX.into()),
            "i32" => integer(i32::MIN.into(), i32::MAX.into()),
            "i64" | "isize" => integer(i64::MIN.into(), i64::MAX.into()),
            "u8" => integer(0, u8::MAX.into()),
            "u16" => integer(0, u16::MAX.into()),
            "u32" => integer(0, u32::MAX.into()),
            "u64" | "usize" => integer(0, u64::MAX.into()),
            "f32" | "f64" => Some(Self::Float),
            "bool" => Some(Self::Bool),
            "String" => Some(Self::Text),
            "char" => Some(Self::Char),
            _ => None,
        }
    }

    /// What a literal of this type looks like.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Integer { .. } => "a whole number, such as `1`",
            Self::Float => "a number with a point, such as `1.0`",
            Self::Bool => "`true` or `false`",
            Self::Text => "a text, such as `\"all\"`",
            Self::Char => "a character, such as `'a'`",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn literals_are_read_with_sign_suffix_and_parentheses() {
        let read = |expression: Expr| Number::of(&expression).map(|number| number.to_string());
        assert_eq!(read(parse_quote!(-1_000)).as_deref(), Some("-1000"));
        assert_eq!(read(parse_quote!((5u8))).as_deref(), Some("5"));
        assert_eq!(read(parse_quote!(0.5)).as_deref(), Some("0.5"));
        assert_eq!(read(parse_quote!(2f64)).as_deref(), Some("2.0"));
        assert_eq!(read(parse_quote!(LIMIT)), None);
    }

    #[test]
    fn what_json_cannot_hold_is_known() {
        assert!(Number::Integer(u64::MAX.into()).is_json());
        assert!(!Number::Integer(i128::MAX).is_json());
    }

    #[test]
    fn whole_numbers_and_floats_compare() {
        assert_eq!(Number::Integer(1).compare(Number::Float(1.5)), Some(Ordering::Less));
        assert_eq!(Number::Integer(2).compare(Number::Integer(2)), Some(Ordering::Equal));
    }
}
