//! What lies around a memory: breadth first, so that each is reached by the fewest relationships.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Direction, Link, Tables};
use crate::error::GraphError;
use crate::model::{Memory, MemoryId, Moment, RelationshipType, Slot};

/// Which relationships are followed from a memory, and how far.
#[derive(Debug, Clone)]
pub(crate) struct Neighbourhood {
    /// How many relationships away.
    pub(crate) depth: usize,
    /// Any, if empty.
    pub(crate) kinds: Vec<RelationshipType>,
    /// Only this way, seen from the memory where one stands. Those that hold from either end go both ways.
    pub(crate) direction: Option<Direction>,
    pub(crate) min_strength: f64,
    /// What was true then.
    pub(crate) moment: Moment,
    /// Told at most; the others are only counted.
    pub(crate) limit: usize,
}

/// What was found around a memory.
#[derive(Debug)]
pub(crate) struct Around {
    /// The nearest first, and of those the strongest.
    pub(crate) reached: Vec<Reached>,
    /// How many there are, those beyond the limit included.
    pub(crate) total: usize,
}

/// A memory that was reached, and how.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) memory: Arc<Memory>,
    /// The relationships that lead to it, each with the memory that it was followed from.
    pub(crate) path: Vec<(Arc<Memory>, Link)>,
    /// The product of their strengths.
    pub(crate) strength: f64,
}

/// How a place was reached.
struct Arrival {
    at: Slot,
    strength: f64,
    by: Option<(usize, Link)>,
}

impl Neighbourhood {
    fn follows(&self, link: &Link) -> bool {
        let either = link.kind.profile().mutual;
        (self.kinds.is_empty() || self.kinds.contains(&link.kind))
            && self.direction.is_none_or(|direction| either || direction == link.direction)
            && link.strength >= self.min_strength
    }

    /// Looks around the memory of this name.
    pub(crate) fn around(&self, id: &MemoryId, tables: &Tables) -> Result<Around, GraphError> {
        let (centre, _) = tables.find(id)?;
        let mut arrivals = vec![Arrival { at: centre, strength: 1.0, by: None }];
        let mut reached: HashMap<Slot, usize> = HashMap::from([(centre, 0)]);
        let mut ring = 0..1;
        for _ in 0..self.depth {
            for place in ring.clone() {
                let (at, strength) = (arrivals[place].at, arrivals[place].strength);
                for link in tables.edges().around(at, self.moment).filter(|link| self.follows(link)) {
                    let arrival =
                        Arrival { at: link.to, strength: strength * link.strength, by: Some((place, link)) };
                    match reached.get(&link.to) {
                        // Of several ways that are equally short, the strongest counts.
                        Some(known) if *known >= ring.end && arrivals[*known].strength < arrival.strength => {
                            let known = *known;
                            arrivals[known] = arrival;
                        }
                        Some(_) => {}
                        None => {
                            reached.insert(link.to, arrivals.len());
                            arrivals.push(arrival);
                        }
                    }
                }
            }
            let end = arrivals.len();
            // The rings that follow begin with what is strongest.
            let mut next: Vec<Arrival> = arrivals.drain(ring.end..).collect();
            next.sort_by(|a, b| b.strength.total_cmp(&a.strength).then(a.at.cmp(&b.at)));
            reached.extend(next.iter().zip(ring.end..).map(|(arrival, place)| (arrival.at, place)));
            arrivals.extend(next);
            ring = ring.end..end;
            if ring.is_empty() {
                break;
            }
        }
        let places = (1..arrivals.len()).take(self.limit);
        let reached = places.filter_map(|place| told(&arrivals, place, tables)).collect();
        Ok(Around { reached, total: arrivals.len() - 1 })
    }
}

fn told(arrivals: &[Arrival], place: usize, tables: &Tables) -> Option<Reached> {
    let arrival = &arrivals[place];
    let mut path = Vec::new();
    let mut by = arrival.by;
    while let Some((from, link)) = by {
        path.push((Arc::clone(tables.at(arrivals[from].at)?), link));
        by = arrivals[from].by;
    }
    path.reverse();
    Some(Reached { memory: Arc::clone(tables.at(arrival.at)?), path, strength: arrival.strength })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::{draft, graph_of, now};
    use RelationshipType::{Follows, SimilarTo, Solves};

    fn look(depth: usize) -> Neighbourhood {
        Neighbourhood {
            depth,
            kinds: Vec::new(),
            direction: None,
            min_strength: 0.0,
            moment: Moment::now(),
            limit: 100,
        }
    }

    /// What is found around "a", where a -> b -> c -> d by Follows, a ~ s by `SimilarTo`, and x solves b.
    fn found(look: impl FnOnce() -> Neighbourhood) -> Vec<(String, usize)> {
        let graph = graph_of(&["a", "b", "c", "d", "s", "x"]);
        for (from, kind, to) in [
            ("a", Follows, "b"),
            ("b", Follows, "c"),
            ("c", Follows, "d"),
            ("s", SimilarTo, "a"),
            ("x", Solves, "b"),
        ] {
            now(graph.relate(draft(from, kind, to))).expect("sound");
        }
        let look = Neighbourhood { moment: Moment::now(), ..look() };
        let around = graph.read(|tables| look.around(&"a".into(), tables)).expect("is there");
        assert!(around.reached.len() <= around.total);
        around.reached.iter().map(|reached| (reached.memory.id.to_string(), reached.path.len())).collect()
    }

    fn expected(found: &[(&str, usize)]) -> Vec<(String, usize)> {
        found.iter().map(|(id, hops)| ((*id).to_owned(), *hops)).collect()
    }

    #[test]
    fn depth_is_how_many_relationships_are_followed() {
        assert_eq!(found(|| look(1)), expected(&[("b", 1), ("s", 1)]));
        assert_eq!(found(|| look(2)), expected(&[("b", 1), ("s", 1), ("x", 2), ("c", 2)]));
        assert_eq!(found(|| look(5)).last(), Some(&("d".to_owned(), 3)));
    }

    #[test]
    fn only_what_is_asked_for_is_followed() {
        let follows = || Neighbourhood { kinds: vec![Follows], ..look(5) };
        assert_eq!(found(follows), expected(&[("b", 1), ("c", 2), ("d", 3)]));
        let forward = || Neighbourhood { direction: Some(Direction::Forward), ..look(2) };
        assert_eq!(
            found(forward),
            expected(&[("b", 1), ("s", 1), ("c", 2)]),
            "similar is so from either end"
        );
        let strong = || Neighbourhood { min_strength: 0.65, ..look(1) };
        assert_eq!(found(strong), expected(&[("b", 1)]));
        assert_eq!(found(|| Neighbourhood { limit: 1, ..look(5) }).len(), 1);
    }

    #[test]
    fn of_two_ways_that_are_equally_short_the_stronger_is_told() {
        let graph = graph_of(&["a", "weak", "strong", "z"]);
        for (from, to, strength) in
            [("a", "weak", 0.2), ("a", "strong", 0.9), ("weak", "z", 0.9), ("strong", "z", 0.9)]
        {
            now(graph.relate(draft(from, Follows, to).with("strength", Some(strength)))).expect("sound");
        }
        let around = graph
            .read(|tables| Neighbourhood { moment: Moment::now(), ..look(2) }.around(&"a".into(), tables));
        let around = around.expect("is there");
        let z = around.reached.iter().find(|reached| reached.memory.id.as_str() == "z").expect("is reached");
        assert_eq!(z.path[1].0.id.as_str(), "strong");
        assert!((z.strength - 0.81).abs() < 1e-6);
    }
}
