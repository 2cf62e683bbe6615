//! `tools`: what a server can do.

use console::style;
use mcp_runtime::client::ToolInfo;
use serde_json::{Map, Value, json};

use crate::connecting::Host;
use crate::event::aside;
use crate::failure::Failure;
use crate::screen::text::{clean, cut, one_line, pretty, set_in, table};

/// Lists all tools, or tells all about one.
pub(super) async fn tools(host: &Host, name: Option<&str>) -> Result<u8, Failure> {
    let tools = host.client.list_tools().await?;
    if let Some(name) = name {
        let tool = named(&tools, name)?;
        if host.screen.is_json() {
            host.screen.out(&event(tool).to_string());
        } else {
            host.screen.out(&told(tool));
        }
        return Ok(0);
    }
    if host.screen.is_json() {
        for tool in &tools {
            host.screen.out(&event(tool).to_string());
        }
        return Ok(0);
    }
    let width = host.screen.width();
    let row = |tool: &ToolInfo| {
        let about = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
        let about = clean(about).lines().next().unwrap_or_default().to_owned();
        [style(one_line(&tool.name)).bold().to_string(), style(hints(tool)).dim().to_string(), about]
    };
    for line in table(&tools.iter().map(row).collect::<Vec<_>>()) {
        host.screen.out(&cut(&line, width));
    }
    if tools.is_empty() {
        host.screen.mention("note", json!({ "text": "no tools" }), "The server has no tools.");
    }
    Ok(0)
}

/// The tool of this name.
pub(super) fn named<'t>(tools: &'t [ToolInfo], name: &str) -> Result<&'t ToolInfo, Failure> {
    if let Some(tool) = tools.iter().find(|tool| tool.name == name) {
        return Ok(tool);
    }
    let likeness = |tool: &&ToolInfo| strsim::normalized_damerau_levenshtein(&tool.name, name);
    let nearest = tools.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Err(Failure::Usage(match nearest.filter(|tool| likeness(tool) > 0.5) {
        Some(tool) => format!("there is no tool `{name}`; did you mean `{}`?", one_line(&tool.name)),
        None => format!("there is no tool `{name}`; `tools` lists those that there are"),
    }))
}

/// What else there is to know at a glance.
fn hints(tool: &ToolInfo) -> String {
    let says = |hint: &str| tool.annotations.get(hint).and_then(Value::as_bool).unwrap_or(false);
    let task = match tool.task_support() {
        Some("required") => Some("always a task"),
        Some("optional") => Some("task"),
        _ => None,
    };
    let reads = says("readOnlyHint").then_some("reads");
    let destroys = says("destructiveHint").then_some("destroys");
    [task, reads, destroys].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// All about a tool, for people.
fn told(tool: &ToolInfo) -> String {
    let hints = hints(tool);
    let name = style(one_line(&tool.name)).bold();
    let mut lines = vec![format!("{name}  {}", style(&hints).dim()).trim_end().to_owned()];
    lines.extend(tool.title.iter().chain(&tool.description).map(|about| set_in(&clean(about), "  ")));
    let required = tool.input_schema["required"].as_array();
    let properties = tool.input_schema["properties"].as_object();
    for (name, schema) in properties.into_iter().flatten() {
        let is_required = required.is_some_and(|required| required.iter().any(|one| one == name));
        let optional = if is_required { "" } else { " (may be left out)" };
        lines.push(format!("\n  {}{optional}", style(one_line(name)).bold()));
        let mut rest = schema.as_object().cloned().unwrap_or_default();
        if let Some(Value::String(description)) = rest.remove("description") {
            lines.push(set_in(&clean(&description), "    "));
        }
        if !rest.is_empty() {
            lines.push(format!("    {}", style(one_line(&Value::from(rest).to_string())).dim()));
        }
    }
    if let Some(schema) = &tool.output_schema {
        lines.push(format!("\n  {}\n{}", style("gives").bold(), set_in(&pretty(schema), "    ")));
    }
    lines.join("\n")
}

/// A tool as the server wrote it.
fn event(tool: &ToolInfo) -> Value {
    let mut whole = Map::new();
    whole.insert("name".to_owned(), tool.name.clone().into());
    let texts = [("title", &tool.title), ("description", &tool.description)];
    for (key, text) in texts {
        whole.extend(text.iter().map(|text| (key.to_owned(), text.clone().into())));
    }
    whole.insert("inputSchema".to_owned(), tool.input_schema.clone());
    whole.extend(tool.output_schema.iter().map(|schema| ("outputSchema".to_owned(), schema.clone())));
    if !tool.annotations.is_empty() {
        whole.insert("annotations".to_owned(), tool.annotations.clone().into());
    }
    whole.extend(tool.rest.clone());
    aside("tool", json!({ "tool": whole }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools() -> Vec<ToolInfo> {
        let tool = |json: Value| serde_json::from_value(json).expect("a tool");
        let schema = json!({
            "properties": { "to": { "type": "integer", "description": "How far." }, "by": { "type": "integer" } },
            "required": ["to"],
        });
        vec![
            tool(json!({
                "name": "count", "description": "Count.", "inputSchema": schema,
                "execution": { "taskSupport": "optional" }, "annotations": { "readOnlyHint": true },
            })),
            tool(json!({ "name": "recall_memories", "inputSchema": {} })),
        ]
    }

    #[test]
    fn a_name_that_is_nearly_right_is_guessed() {
        let wrong = |name: &str| named(&tools(), name).expect_err("there is none").to_string();
        assert_eq!(wrong("conut"), "there is no tool `conut`; did you mean `count`?");
        assert_eq!(
            wrong("recall_memory"),
            "there is no tool `recall_memory`; did you mean `recall_memories`?"
        );
        assert!(wrong("xyz").ends_with("lists those that there are"));
    }

    #[test]
    fn all_about_a_tool_is_told() {
        let text = told(&tools()[0]);
        for part in ["count  task, reads", "Count.", "  to\n    How far.", "by (may be left out)"] {
            assert!(console::strip_ansi_codes(&text).contains(part), "{part}: {text}");
        }
        let event = event(&tools()[0]);
        assert_eq!(event["tool"]["execution"]["taskSupport"], "optional");
    }
}
