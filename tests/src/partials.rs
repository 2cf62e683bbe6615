//! What messages say of partial results.

use serde_json::Value;

use crate::names;

/// What a state, a result or the parameters of a notification say of the partial results of the fixture's `find`: their
/// numbers, the number of the first, and the cursor. `None` if they say nothing of them.
pub fn partials(said: &Value) -> Option<(Vec<u64>, u64, u64)> {
    let partial = said["_meta"].get(names::PARTIAL)?;
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("no number in {partial}"));
    let values = partial["values"].as_array().expect("a list").iter();
    let numbers = values.map(|value| number(&value["number"])).collect();
    Some((numbers, number(&partial["first"]), number(&partial["cursor"])))
}
