//! Pages of a recall, each as short as may be, are one long answer.

use mcp_runtime::Server;
use mcp_runtime::testing::TestClient;
use serde_json::{Map, Value, json};

use crate::files::Files;
use crate::graph::Graph;
use crate::model::{MemoryDraft, MemoryType, RelationshipDraft, RelationshipType};
use crate::store::Place;
use crate::tools::reading;

const MEMORIES: u64 = 60;

/// Chance that repeats itself.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Memories of few words, many of which fit equally well, and relationships of any strength between them.
async fn graph(dice: &mut Dice) -> Graph {
    const WORDS: [&str; 8] = ["redis", "timeout", "pool", "cache", "deploy", "review", "lunch", "night"];
    let graph = Graph::open(Place::Nowhere).expect("memory is there");
    for n in 0..MEMORIES {
        let words: Vec<&str> = (0..3).map(|_| WORDS[dice.below(8) as usize]).collect();
        let draft = MemoryDraft::new(MemoryType::Fix, words.join(" "), "Nothing else.");
        let importance = Some(dice.below(4) as f64 / 4.0);
        let draft = MemoryDraft { id: Some(n.to_string().as_str().into()), importance, ..draft };
        graph.store(draft).await.expect("a sound draft");
    }
    for _ in 0..2 * MEMORIES {
        let kind = RelationshipType::ALL[dice.below(35) as usize];
        let [from, to] = [0; 2].map(|_| dice.below(MEMORIES).to_string());
        let draft = RelationshipDraft::new(from.as_str().into(), kind, to.as_str().into());
        // Some would lead back, which is refused.
        let _ = graph.relate(draft.with("strength", Some(dice.below(11) as f64 / 10.0))).await;
    }
    graph
}

/// The answer to a recall with these arguments and those besides.
async fn recall(client: &mut TestClient, arguments: &Value, besides: Value) -> Map<String, Value> {
    let mut arguments = arguments.as_object().expect("arguments").clone();
    arguments.extend(besides.as_object().expect("arguments").clone());
    let mut answer = client.call_tool("recall_memories", arguments.into()).await.expect("is answered");
    assert_ne!(answer["isError"], true, "{answer}");
    let Value::Object(recalled) = answer["structuredContent"].take() else { panic!("no content: {answer}") };
    recalled
}

fn hits(recalled: &Map<String, Value>) -> &[Value] {
    recalled["memories"].as_array().expect("a list")
}

#[tokio::test]
async fn short_pages_give_what_one_long_one_gives() {
    let mut dice = Dice(7);
    for round in 0..4 {
        let server = Server::new("memorygraph", "0").state(graph(&mut dice).await).state(Files::Nowhere);
        let mut client = reading(server).test_client().expect("nothing is wrong with it").without_tasks();
        for (query, depth, related) in [
            ("redis timeout", 3, true),
            ("redis timeout", 3, false),
            ("lunch", 6, true),
            ("night pool cache", 1, true),
            ("night pool cache", 0, true),
        ] {
            let arguments = json!({
                "query": query, "maxDepth": depth, "includeRelated": related,
                "min_importance": if round % 2 == 0 { 0.0 } else { 0.5 },
            });
            let told = format!("round {round}: {arguments}");
            let whole = recall(&mut client, &arguments, json!({ "limit": 1000 })).await;
            assert!(hits(&whole).len() > 3, "{told}");
            assert!(!whole.contains_key("next_cursor"), "{told}");
            for limit in [1, 3, hits(&whole).len() - 1, hits(&whole).len()] {
                let mut pages: Vec<Value> = Vec::new();
                let mut besides = json!({ "limit": limit });
                loop {
                    let page = recall(&mut client, &arguments, besides).await;
                    pages.extend(hits(&page).iter().cloned());
                    let Some(cursor) = page.get("next_cursor") else { break };
                    assert_eq!(hits(&page).len(), limit, "{told}: only the last page may be shorter");
                    besides = json!({ "limit": limit, "cursor": cursor });
                }
                assert_eq!(pages.len(), hits(&whole).len(), "{told}, {limit} a page");
                for (paged, whole) in pages.iter().zip(hits(&whole)) {
                    for key in ["id", "score", "text_score", "depth"] {
                        assert_eq!(paged[key], whole[key], "{told}, {limit} a page: {paged} {whole}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn who_looks_farther_loses_nothing() {
    let server = Server::new("memorygraph", "0").state(graph(&mut Dice(11)).await).state(Files::Nowhere);
    let mut client = reading(server).test_client().expect("nothing is wrong with it").without_tasks();
    let arguments = json!({ "query": "redis", "limit": 1000 });
    let alone = recall(&mut client, &arguments, json!({ "includeRelated": false })).await;
    let mut before = recall(&mut client, &arguments, json!({ "maxDepth": 0 })).await;
    assert_eq!(hits(&alone).len(), hits(&before).len());
    for depth in 1..=6 {
        let now = recall(&mut client, &arguments, json!({ "maxDepth": depth })).await;
        for hit in hits(&before) {
            let again = hits(&now).iter().find(|other| other["id"] == hit["id"]);
            let better = again.is_some_and(|again| again["score"].as_f64() >= hit["score"].as_f64());
            assert!(better, "at depth {depth}, {again:?} in place of {hit}");
        }
        assert!(hits(&now).iter().all(|hit| hit["depth"].as_u64() <= Some(depth)));
        assert!(now["traversed"].as_u64() >= Some(hits(&now).len() as u64));
        before = now;
    }
}
