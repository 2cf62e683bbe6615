//! The skills extension (SEP-2640): finding skills, reading their files and their directories.

use serde_json::{Value, json};
use tests::{LEGACY, Process, Wire, fixture};

fn skilled() -> Process {
    fixture!("--skills").speaking(Wire::Modern)
}

fn directory(server: &mut Process, uri: &str) -> Vec<(String, String)> {
    let list = server.ok("resources/directory/read", json!({ "uri": uri }));
    let children = list["resources"].as_array().expect("a list");
    let text = |child: &Value, member: &str| child[member].as_str().expect("text").to_owned();
    children.iter().map(|child| (text(child, "uri"), text(child, "mimeType"))).collect()
}

#[test]
fn the_extension_is_announced_beside_resources() {
    let capabilities = skilled().ok("server/discover", json!({}))["capabilities"].take();
    assert_eq!(
        capabilities["extensions"]["io.modelcontextprotocol/skills"],
        json!({ "directoryRead": true })
    );
    assert!(capabilities["resources"].is_object());
    for method in ["skills/list", "skills/get", "resources/directory/read"] {
        let mut without = fixture!().speaking(Wire::Modern);
        assert_eq!(without.refused(method, json!({ "uri": "skill://acme" })).code, -32601);
    }
}

#[test]
fn a_skill_is_listed_with_its_front_matter_and_every_file() {
    let mut server = skilled();
    let list = server.ok("skills/list", json!({}));
    let review = &list["skills"][0];
    assert_eq!(review["uri"], "skill://acme/review/SKILL.md");
    let front_matter =
        json!({ "name": "review", "description": "How we review.", "metadata": { "version": "2.1" } });
    assert_eq!(review["frontmatter"], front_matter);
    let files = review["resources"].as_array().expect("files");
    let uris: Vec<&Value> = files.iter().map(|file| &file["uri"]).collect();
    assert_eq!(
        uris,
        [
            "skill://acme/review/SKILL.md",
            "skill://acme/review/strict/SKILL.md",
            "skill://acme/review/templates/comment%20one.md",
            "skill://acme/review/templates/picture.png",
        ]
    );
    assert_eq!(list["skills"][1]["uri"], "skill://acme/review/strict/SKILL.md");
    assert_eq!(list["cacheScope"], "public");
    let got = server.ok("skills/get", json!({ "uri": "skill://acme/review/SKILL.md" }));
    assert_eq!(&got["skill"], review);
    assert_eq!(server.refused("skills/get", json!({ "uri": "skill://acme/review" })).code, -32602);
}

#[test]
fn every_file_is_read_as_long_as_its_entry_says() {
    let mut server = skilled();
    let list = server.ok("skills/list", json!({}));
    for file in list["skills"]
        .as_array()
        .expect("skills")
        .iter()
        .flat_map(|skill| skill["resources"].as_array().expect("files"))
    {
        let contents = server.ok("resources/read", json!({ "uri": file["uri"] }))["contents"].take();
        match contents[0]["text"].as_str() {
            Some(text) => assert_eq!(file["size"], text.len(), "{file}"),
            None => assert_eq!((&contents[0]["blob"], &file["size"]), (&json!("iVBOR/8="), &json!(5))),
        }
    }
    let resources = server.ok("resources/list", json!({}))["resources"].take();
    let manifest = resources
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["uri"] == "skill://acme/review/strict/SKILL.md");
    let manifest = manifest.expect("it is listed");
    assert_eq!(
        (&manifest["name"], &manifest["description"], &manifest["mimeType"]),
        (&json!("strict"), &json!("How we review what matters."), &json!("text/markdown"))
    );
}

#[test]
fn a_directory_has_its_direct_children() {
    let mut server = skilled();
    let pair = |uri: &str, mime_type: &str| (uri.to_owned(), mime_type.to_owned());
    assert_eq!(
        directory(&mut server, "skill://acme/review"),
        [
            pair("skill://acme/review/SKILL.md", "text/markdown"),
            pair("skill://acme/review/strict", "inode/directory"),
            pair("skill://acme/review/templates", "inode/directory"),
        ]
    );
    assert_eq!(directory(&mut server, "skill://acme/review/templates").len(), 2);
    for uri in ["skill://acme/review/SKILL.md", "skill://acme/review/", "skill://acme", "skill://nobody"] {
        assert_eq!(server.refused("resources/directory/read", json!({ "uri": uri })).code, -32602, "{uri}");
    }
}

#[test]
fn pages_of_skills_and_directories_follow_each_other() {
    let mut server = fixture!("--skills", "--page-size=1").speaking(Wire::Modern);
    let first = server.ok("skills/list", json!({}));
    let second = server.ok("skills/list", json!({ "cursor": first["nextCursor"] }));
    assert_eq!(second["skills"].as_array().map(Vec::len), Some(1));
    assert!(second.get("nextCursor").is_none());
    let uri = "skill://acme/review/templates";
    let first = server.ok("resources/directory/read", json!({ "uri": uri }));
    let params = json!({ "uri": uri, "cursor": first["nextCursor"] });
    assert!(server.ok("resources/directory/read", params).get("nextCursor").is_none());
}

#[test]
fn to_a_client_of_an_earlier_revision_skills_are_resources() {
    let mut server = fixture!("--skills");
    server.initialize(LEGACY);
    let read =
        server.ok("resources/read", json!({ "uri": "skill://acme/review/templates/comment%20one.md" }));
    assert_eq!(read["contents"][0]["text"], "Why?");
    assert_eq!(server.refused("skills/list", json!({})).code, -32601);
}
