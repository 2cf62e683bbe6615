//! What may be typed into each kind of field.

use super::*;

fn form(properties: Value) -> Form {
    let schema = json!({ "type": "object", "properties": properties, "required": ["a"] });
    serde_json::from_value(json!({ "message": "?", "requestedSchema": schema })).expect("a form")
}

fn field(schema: Value) -> Field {
    Field::of(&form(json!({ "a": schema }))).pop().expect("it has a field")
}

#[test]
fn texts_have_formats_and_lengths() {
    for (format, right, wrong) in [
        ("email", "ada@example.com", "ada"),
        ("uri", "https://example.com/a", "example.com/a b"),
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-07-28T12:00:00+02:00", "2026-07-28"),
        ("date-time", "2026-07-28T12:00:00.5Z", "2026-07-28T12:00:00+25:00"),
        ("date-time", "2026-07-28T12:00:00-05:30", "2026-07-28T12:00:00"),
    ] {
        let field = field(json!({ "type": "string", "format": format }));
        assert_eq!(field.parse(&format!(" {right} ")), Ok(right.into()));
        assert_eq!(field.parse(wrong), Err(format!("`{wrong}` is no {format}")));
        assert!(field.check(&wrong.into()).is_err());
    }
    let field = field(json!({ "type": "string", "minLength": 2, "maxLength": 3 }));
    assert_eq!(field.parse("größ"), Err("`a` must have at most 3 characters, got 4".to_owned()));
    assert_eq!((field.parse("grö"), field.label()), (Ok("grö".into()), "a (2 to 3 characters)".to_owned()));
}

#[test]
fn numbers_have_ranges() {
    let age = field(
        json!({ "type": "integer", "title": "Age", "description": "In years.", "minimum": 0, "maximum": 150 }),
    );
    assert_eq!(age.label(), "Age: In years. (a whole number, 0 to 150)");
    assert_eq!(age.parse("30"), Ok(json!(30)));
    assert_eq!(age.parse("200"), Err("`a` must be at most 150, got 200".to_owned()));
    assert_eq!(age.parse("1.5"), Err("`a` must be of type integer, got 1.5".to_owned()));
    assert_eq!(age.parse("old"), Err("`old` is no number".to_owned()));
    assert_eq!(field(json!({ "type": "number" })).parse("-0.5"), Ok(json!(-0.5)));
}

#[test]
fn yes_and_no_may_be_short() {
    let sure = field(json!({ "type": "boolean" }));
    assert_eq!([sure.parse("y"), sure.parse("No")], [Ok(true.into()), Ok(false.into())]);
    assert!(sure.parse("perhaps").is_err());
}

#[test]
fn a_choice_is_named_or_numbered() {
    let titled = json!([{ "const": "r", "title": "Red" }, { "const": "g", "title": "Green" }]);
    for schema in [
        json!({ "type": "string", "oneOf": titled }),
        json!({ "type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"] }),
    ] {
        let colour = field(schema);
        for typed in ["g", "2", "Green", "gre"] {
            assert_eq!(colour.parse(typed), Ok("g".into()), "{typed}");
        }
        assert_eq!(colour.parse("blue"), Err("`blue` is none of these".to_owned()));
        assert_eq!(
            (colour.shown(&"r".into()), colour.choices()[0].shown()),
            ("Red".to_owned(), "Red (r)".to_owned())
        );
    }
    let single = field(json!({ "type": "string", "enum": ["r", "g"] }));
    assert_eq!(single.check(&"x".into()), Err("`a` must be one of r, g, got \"x\"".to_owned()));
    let plain = field(json!({ "type": "string", "enum": ["one", "other", "2"] }));
    assert_eq!(plain.parse("o"), Err("`o` may be more than one of these".to_owned()));
    assert_eq!(plain.parse("2"), Ok("2".into()), "a value goes before a number");
}

#[test]
fn several_may_be_chosen() {
    let items = json!({ "anyOf": [{ "const": "r", "title": "Red" }, { "const": "g", "title": "Green" }] });
    let colours = field(json!({ "type": "array", "items": items, "minItems": 1 }));
    assert_eq!(colours.parse("green, 1, g"), Ok(json!(["g", "r"])));
    assert_eq!(colours.parse("none"), Err("`a` must have at least 1 item, got 0".to_owned()));
    assert_eq!(colours.shown(&json!(["g", "r"])), "Green, Red");
    let plain = field(json!({ "type": "array", "items": { "type": "string", "enum": ["x", "y"] } }));
    assert_eq!(plain.parse("y"), Ok(json!(["y"])));
}

#[test]
fn fields_come_in_the_order_of_the_form_and_say_what_may_be_left_out() {
    let fields = Field::of(&form(json!({
        "z": { "type": "string" }, "a": { "type": "string" }, "m": { "type": "boolean", "default": true },
    })));
    let labels: Vec<String> = fields.iter().map(Field::label).collect();
    assert_eq!(labels, ["z (may be left out)", "a", "m (yes or no)"]);
    assert_eq!(fields[2].default().map(|value| fields[2].shown(value)).as_deref(), Some("yes"));
}
