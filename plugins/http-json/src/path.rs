//! Paths into JSON: a small part of JSONPath, with a way up.
//!
//! `$.data[*].items[*]` names rows. From a row, `$.cost` leads down. `^.date` starts one star up, here
//! at the entry of `data` that holds the row. `^^` starts two stars up; above the first star is the
//! whole answer. `$~` is the key of the row itself.

use serde_json::Value;

/// How many members an error names, where the one that was looked for is missing.
const NAMED: usize = 5;

/// A path: where it starts, and its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    /// How many stars up the path starts.
    up: usize,
    steps: Vec<Step>,
    /// Whether the path gives the key itself, and not the value.
    key: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member {
        name: String,
        /// Where this member is missing there are no rows; without this, the answer has another
        /// shape.
        may_lack: bool,
    },
    Item(usize),
    /// All items of a list, or all members of an object.
    Star,
}

/// A place in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'a> {
    pub value: &'a Value,
    /// A JSON pointer.
    pub pointer: String,
}

/// A row, and the places that hold it, from the whole answer down.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    pub node: Node<'a>,
    /// The item of the last star. The row is this item or a part of it.
    starred: Node<'a>,
    above: Vec<Node<'a>>,
}

impl<'a> Row<'a> {
    /// The answer itself.
    pub fn whole(answer: &'a Value) -> Row<'a> {
        let node = Node { value: answer, pointer: String::new() };
        Row { starred: node.clone(), node, above: Vec::new() }
    }
}

impl JsonPath {
    /// Whether a setting is a path. Every other text is a constant.
    pub fn is_path(text: &str) -> bool {
        text.starts_with('$') || text.starts_with('^')
    }

    /// Reads a path; the error says why it is none.
    pub fn parse(text: &str) -> Result<JsonPath, String> {
        let refuse = |reason: &str| format!("'{text}' is not a path: {reason}");
        let up = text.bytes().take_while(|byte| *byte == b'^').count();
        let mut rest = match up {
            0 => text.strip_prefix('$').ok_or_else(|| refuse("it has to begin with $ or ^"))?,
            _ => &text[up..],
        };
        let mut steps = Vec::new();
        loop {
            if rest.is_empty() || rest == "~" {
                return Ok(JsonPath { up, steps, key: rest == "~" });
            }
            let (step, after) = step(rest).ok_or_else(|| {
                refuse("a step is .name, ['name'], [0] or [*]; behind a name can stand ?")
            })?;
            steps.push(step);
            rest = after;
        }
    }

    pub fn has_star(&self) -> bool {
        self.steps.contains(&Step::Star)
    }

    pub fn starts_above(&self) -> bool {
        self.up > 0
    }

    /// All rows of an answer.
    ///
    /// `Err` names a place that is no list or object, or a member that is missing before the first star.
    /// Such an answer has another shape, as an error has; it does not mean that a month had no
    /// costs. A place that is null, or missing in an item, has no rows.
    pub fn rows<'a>(&self, answer: &'a Value) -> Result<Vec<Row<'a>>, String> {
        let mut rows = vec![Row::whole(answer)];
        let first_star =
            self.steps.iter().position(|step| *step == Step::Star).unwrap_or(self.steps.len());
        for (at, step) in self.steps.iter().enumerate() {
            if let Step::Member { name, may_lack: false } = step
                && at < first_star
                && let Some(lacking) = rows.iter().find_map(|row| {
                    row.node.value.as_object().filter(|members| !members.contains_key(name))
                })
            {
                return Err(missing(name, lacking));
            }
            let mut next = Vec::new();
            for row in rows {
                match step {
                    Step::Star => spread(row, &mut next)?,
                    step => next.extend(expected(&row.node, step)?.map(|node| Row {
                        node,
                        starred: row.starred.clone(),
                        above: row.above.clone(),
                    })),
                }
            }
            rows = next;
        }
        Ok(rows)
    }

    /// The value that the path leads to from a row; `None` for nothing and for null.
    pub fn value<'a>(&self, row: &Row<'a>) -> Option<Node<'a>> {
        let mut node = self.start(row)?;
        for step in &self.steps {
            node = down(&node, step)?;
        }
        (!node.value.is_null()).then_some(node)
    }

    /// The text that the path leads to: a text, a number with its digits, true or false, or a key.
    pub fn text(&self, row: &Row) -> Option<String> {
        let node = self.value(row)?;
        if self.key {
            let key = node.pointer.rsplit('/').next()?;
            return Some(key.replace("~1", "/").replace("~0", "~"));
        }
        match node.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn start<'a>(&self, row: &Row<'a>) -> Option<Node<'a>> {
        match self.up {
            0 => Some(row.node.clone()),
            up => {
                let is_part = row.starred.pointer != row.node.pointer;
                let above: Vec<&Node> =
                    row.above.iter().chain(is_part.then_some(&row.starred)).collect();
                above.get(above.len().checked_sub(up)?).map(|node| (*node).clone())
            }
        }
    }
}

fn missing(name: &str, members: &serde_json::Map<String, Value>) -> String {
    let there: Vec<&str> = members.keys().map(String::as_str).take(NAMED).collect();
    let there = if there.is_empty() { "nothing".to_owned() } else { there.join(", ") };
    format!(
        "it has no `{name}`, but {there}; where an empty month has none, write `{name}?` in `rows`"
    )
}

/// As [`down`], but only where the place can have such a step.
fn expected<'a>(node: &Node<'a>, step: &Step) -> Result<Option<Node<'a>>, String> {
    let wanted = match (step, node.value) {
        (_, Value::Null)
        | (Step::Member { .. }, Value::Object(_))
        | (Step::Item(_), Value::Array(_)) => return Ok(down(node, step)),
        (Step::Item(_), _) => "list",
        (Step::Member { .. } | Step::Star, _) => "object",
    };
    let place = if node.pointer.is_empty() { "the answer" } else { &node.pointer };
    Err(format!("{place} is no {wanted}"))
}

/// The first step of a text, and the rest of the text.
fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix("[*]").or_else(|| text.strip_prefix(".*")) {
        return Some((Step::Star, rest));
    }
    if let Some(rest) = text.strip_prefix("['") {
        let (name, rest) = rest.split_once("']")?;
        return Some(member(name, rest));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (index, rest) = rest.split_once(']')?;
        return Some((Step::Item(index.parse().ok()?), rest));
    }
    let rest = text.strip_prefix('.')?;
    let end = rest.find(['.', '[', '~', '?']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    (!name.is_empty()).then(|| member(name, rest))
}

fn member<'a>(name: &str, after: &'a str) -> (Step, &'a str) {
    let rest = after.strip_prefix('?');
    (Step::Member { name: name.into(), may_lack: rest.is_some() }, rest.unwrap_or(after))
}

fn below<'a>(node: &Node, key: &str, value: &'a Value) -> Node<'a> {
    Node {
        value,
        pointer: format!("{}/{}", node.pointer, key.replace('~', "~0").replace('/', "~1")),
    }
}

fn down<'a>(node: &Node<'a>, step: &Step) -> Option<Node<'a>> {
    match step {
        Step::Member { name, .. } => node.value.get(name).map(|value| below(node, name, value)),
        Step::Item(index) => {
            node.value.get(index).map(|value| below(node, &index.to_string(), value))
        }
        Step::Star => None,
    }
}

fn spread<'a>(row: Row<'a>, rows: &mut Vec<Row<'a>>) -> Result<(), String> {
    let Row { node, starred, mut above } = row;
    // One star up is the item of the star before, not the list. Above the first star is the whole
    // answer.
    let under = |above: &[Node<'a>], child: Node<'a>| Row {
        starred: child.clone(),
        node: child,
        above: above.to_vec(),
    };
    above.push(starred);
    match node.value {
        Value::Array(items) => rows.extend(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| under(&above, below(&node, &index.to_string(), item))),
        ),
        Value::Object(members) => rows
            .extend(members.iter().map(|(key, member)| under(&above, below(&node, key, member)))),
        Value::Null => {}
        _ => {
            return Err(format!(
                "{} is neither a list nor an object",
                if node.pointer.is_empty() { "the answer" } else { &node.pointer }
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn texts(rows: &str, path: &str, answer: &Value) -> Vec<Option<String>> {
        let path = JsonPath::parse(path).unwrap();
        JsonPath::parse(rows)
            .unwrap()
            .rows(answer)
            .unwrap()
            .iter()
            .map(|row| path.text(row))
            .collect()
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn stars_spread_and_the_way_up_remembers_them() {
        let answer = json!({ "currency": "EUR", "data": [
            { "day": "d1", "items": [{ "n": 1 }, { "n": 2 }] },
            { "day": "d2", "items": [] },
            { "day": "d3", "items": [{ "n": 3 }] },
        ] });
        let rows = "$.data[*].items[*]";
        assert_eq!(texts(rows, "$.n", &answer), some(&["1", "2", "3"]));
        assert_eq!(texts(rows, "^.day", &answer), some(&["d1", "d1", "d3"]));
        assert_eq!(texts(rows, "^^.currency", &answer), some(&["EUR", "EUR", "EUR"]));
        assert_eq!(texts(rows, "^^^.currency", &answer), [None, None, None]);
        assert_eq!(texts("$.data[*].items[0]", "^.day", &answer), some(&["d1", "d3"]));
        let found = JsonPath::parse(rows).unwrap().rows(&answer).unwrap();
        assert_eq!(found[2].node.pointer, "/data/2/items/0");
    }

    #[test]
    fn objects_spread_with_their_keys() {
        let answer = json!({ "by": { "a/b": { "c": 1 }, "d": { "c": null } } });
        assert_eq!(texts("$.by[*]", "$~", &answer), some(&["a/b", "d"]));
        assert_eq!(texts("$.by.*", "$.c", &answer), [Some("1".to_owned()), None]);
    }

    #[test]
    fn steps_have_all_spellings_and_numbers_all_digits() {
        let answer: Value =
            serde_json::from_str(r#"{"a.b": [{"c d": 0.10000000000000000000001}]}"#).unwrap();
        assert_eq!(texts("$", "$['a.b'][0]['c d']", &answer), some(&["0.10000000000000000000001"]));
        assert_eq!(texts("$.none?[*]", "$", &answer), Vec::<Option<String>>::new());
        assert_eq!(texts("$['none']?[*]", "$", &answer), Vec::<Option<String>>::new());
        assert_eq!(
            JsonPath::parse("$[*]").unwrap().rows(&json!(7)),
            Err("the answer is neither a list nor an object".into())
        );
    }

    #[test]
    fn an_answer_of_another_shape_has_not_no_rows() {
        let rows = |text: &str| {
            let answer: Value = serde_json::from_str(text).unwrap();
            JsonPath::parse("$.data[0].items[*]").unwrap().rows(&answer).map(|rows| rows.len())
        };
        assert_eq!(rows(r#"{"data": [{"items": [1, 2]}]}"#), Ok(2));
        for nothing in [
            r#"{"data": [{"items": []}]}"#,
            r#"{"data": [{"items": null}]}"#,
            r#"{"data": null}"#,
            r#"{"data": []}"#,
            "null",
        ] {
            assert_eq!(rows(nothing), Ok(0), "{nothing}");
        }
        assert_eq!(rows("[1, \"two\"]"), Err("the answer is no object".into()));
        let error = r#"{"error": "expired", "code": 7}"#;
        assert_eq!(
            rows(error),
            Err("it has no `data`, but code, error; where an empty month has \
            none, write `data?` in `rows`"
                .into())
        );
        assert_eq!(
            rows(r#"{"data": [{}]}"#),
            Err("it has no `items`, but nothing; where an empty \
            month has none, write `items?` in `rows`"
                .into())
        );
        // Behind a star, an item may lack a member that others have.
        let answer: Value = serde_json::from_str(r#"{"data": [{"items": [1]}, {}]}"#).unwrap();
        assert_eq!(
            JsonPath::parse("$.data[*].items[*]").unwrap().rows(&answer).map(|rows| rows.len()),
            Ok(1)
        );
        assert_eq!(rows(r#"{"data": "none"}"#), Err("/data is no list".into()));
        assert_eq!(rows(r#"{"data": [7]}"#), Err("/data/0 is no object".into()));
        assert_eq!(
            rows(r#"{"data": [{"items": 7}]}"#),
            Err("/data/0/items is neither a list nor an object".into())
        );
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["a", "$a", "$.", "$..a", "$[a]", "$['a]", "$.a[?(@.b)]"] {
            assert!(JsonPath::parse(text).is_err(), "{text}");
        }
    }
}
