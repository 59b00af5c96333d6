//! What somebody at an editor does: put the cursor somewhere, type, and look.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::server::{Server, uri};

/// Where the cursor is, in a piece of text that is in a file once.
pub const CURSOR: &str = "$0";

pub struct Editor {
    server: Server,
    folder: PathBuf,
    files: HashMap<String, String>,
    version: u64,
}

impl Editor {
    pub fn open(program: &str, folder: &Path, settings: Value, files: &[&str]) -> Self {
        let server = Server::start(program, folder, settings);
        let mut editor = Self {
            server,
            folder: folder.to_owned(),
            files: HashMap::new(),
            version: 0,
        };
        for &name in files {
            let path = folder.join(name);
            let text = std::fs::read_to_string(&path).unwrap();
            let document =
                json!({ "uri": uri(&path), "languageId": "rust", "version": 0, "text": text });
            let params = json!({ "textDocument": document });
            editor.server.notify("textDocument/didOpen", params);
            editor.files.insert(name.to_owned(), text);
        }
        editor
    }

    /// Types `new` where `old` is, asks with the cursor in it, and takes it back.
    pub fn typing<T>(
        &mut self,
        file: &str,
        old: &str,
        new: &str,
        ask: impl FnOnce(&mut Self, &str) -> T,
    ) -> T {
        let before = self.files[file].clone();
        assert_eq!(before.matches(old).count(), 1, "{file}: {old}");
        let (head, tail) = before.split_once(old).unwrap();
        self.set(file, format!("{head}{}{tail}", new.replacen(CURSOR, "", 1)));
        // What was typed may be elsewhere, too; what is around it makes it the only one.
        let around = head.len().saturating_sub(60);
        let around = (around..).find(|&at| head.is_char_boundary(at)).unwrap();
        let answer = ask(self, &format!("{}{new}", &head[around..]));
        self.set(file, before);
        answer
    }

    fn set(&mut self, file: &str, text: String) {
        self.version += 1;
        let params = json!({
            "textDocument": { "uri": uri(&self.folder.join(file)), "version": self.version },
            "contentChanges": [{ "text": text }],
        });
        self.server.notify("textDocument/didChange", params);
        self.files.insert(file.to_owned(), text);
    }

    /// What the cursor's place is called in messages.
    fn place(&self, file: &str, at: &str) -> Value {
        let text = &self.files[file];
        let (before, after) = at.split_once(CURSOR).unwrap_or((at, ""));
        let needle = format!("{before}{after}");
        assert_eq!(text.matches(&needle).count(), 1, "{file}: {at}");
        let offset = text.find(&needle).unwrap() + before.len();
        let line = text[..offset].matches('\n').count();
        let column = offset - text[..offset].rfind('\n').map_or(0, |end| end + 1);
        json!({
            "textDocument": { "uri": uri(&self.folder.join(file)) },
            "position": { "line": line, "character": column },
        })
    }

    fn ask(&mut self, method: &str, file: &str, at: &str, more: Value) -> Value {
        let mut params = self.place(file, at);
        if let Value::Object(more) = more {
            params.as_object_mut().unwrap().extend(more);
        }
        self.server
            .request(&format!("textDocument/{method}"), params)
    }

    /// The text of the box that appears under the mouse.
    pub fn hover(&mut self, file: &str, at: &str) -> String {
        let answer = self.ask("hover", file, at, json!({}));
        answer["contents"]["value"]
            .as_str()
            .unwrap_or("nothing")
            .to_owned()
    }

    /// What is offered, each with what is said of it.
    pub fn completions(&mut self, file: &str, at: &str) -> Vec<String> {
        let answer = self.ask("completion", file, at, json!({}));
        let items = match &answer["items"] {
            Value::Array(items) => items.clone(),
            _ => answer.as_array().cloned().unwrap_or_default(),
        };
        items
            .iter()
            .map(|item| {
                let label = item["label"].as_str().unwrap_or_default();
                let detail = item["detail"].as_str().unwrap_or_default();
                format!("{label}: {detail}")
            })
            .collect()
    }

    /// The lines that one is led to, each with its file: `loops.rs: pub fn read_page(…`.
    pub fn definitions(&mut self, file: &str, at: &str) -> Vec<String> {
        let answer = self.ask("definition", file, at, json!({}));
        self.lines(&answer)
    }

    /// The lines where it is used.
    pub fn references(&mut self, file: &str, at: &str) -> Vec<String> {
        let context = json!({ "context": { "includeDeclaration": true } });
        let answer = self.ask("references", file, at, context);
        self.lines(&answer)
    }

    fn lines(&self, places: &Value) -> Vec<String> {
        let places = places.as_array().cloned().unwrap_or_default();
        let mut lines: Vec<_> = places
            .iter()
            .map(|place| {
                let path = place["uri"].as_str().unwrap().trim_start_matches("file://");
                let name = path.rsplit('/').next().unwrap();
                let number = place["range"]["start"]["line"].as_u64().unwrap() as usize;
                let start = place["range"]["start"]["character"].as_u64().unwrap() as usize;
                let end = place["range"]["end"]["character"].as_u64().unwrap() as usize;
                let open = self
                    .files
                    .iter()
                    .find(|(file, _)| self.folder.join(file) == Path::new(path));
                let text = match open {
                    Some((_, text)) => text.clone(),
                    None => std::fs::read_to_string(path).unwrap_or_default(),
                };
                let line = text.lines().nth(number).unwrap_or_default();
                let marked = match line.get(start..end) {
                    Some(word) => format!("{}«{word}»{}", &line[..start], &line[end..]),
                    None => line.to_owned(),
                };
                (number, format!("{name}: {}", marked.trim()))
            })
            .collect();
        lines.sort();
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The lines that renaming changes, as they are afterwards.
    pub fn rename(&mut self, file: &str, at: &str, to: &str) -> Vec<String> {
        let answer = self.ask("rename", file, at, json!({ "newName": to }));
        if let Some(error) = answer["error"].as_str() {
            return vec![error.to_owned()];
        }
        let mut edits = Vec::new();
        if let Some(changes) = answer["documentChanges"].as_array() {
            edits.extend(
                changes
                    .iter()
                    .flat_map(|change| change["edits"].as_array().cloned().unwrap_or_default()),
            );
        }
        if let Some(changes) = answer["changes"].as_object() {
            edits.extend(
                changes
                    .values()
                    .flat_map(|edits| edits.as_array().cloned().unwrap_or_default()),
            );
        }
        let text = &self.files[file];
        let mut lines: HashMap<u64, Vec<(usize, usize)>> = HashMap::new();
        for edit in &edits {
            let (start, end) = (&edit["range"]["start"], &edit["range"]["end"]);
            let columns = [start, end].map(|at| at["character"].as_u64().unwrap() as usize);
            let places = lines.entry(start["line"].as_u64().unwrap()).or_default();
            places.push((columns[0], columns[1]));
        }
        let mut numbers: Vec<_> = lines.into_iter().collect();
        numbers.sort();
        let renamed = numbers.into_iter().map(|(number, mut places)| {
            let mut line = text.lines().nth(number as usize).unwrap().to_owned();
            places.sort();
            for (start, end) in places.into_iter().rev() {
                line.replace_range(start..end, to);
            }
            line.trim().to_owned()
        });
        renamed.collect()
    }

    /// The signature that is shown while arguments are typed, its docs behind it.
    pub fn signature(&mut self, file: &str, at: &str) -> String {
        let answer = self.ask("signatureHelp", file, at, json!({}));
        let signature = &answer["signatures"][0];
        let docs = &signature["documentation"]["value"];
        format!(
            "{} — {}",
            signature["label"].as_str().unwrap_or("nothing"),
            docs.as_str().unwrap_or_default()
        )
    }

    /// The types that are shown between the text, behind what they are shown: `let length: usize`.
    pub fn hints(&mut self, file: &str) -> Vec<String> {
        let text = self.files[file].clone();
        let lines: Vec<_> = text.lines().collect();
        let answer = self.server.request(
            "textDocument/inlayHint",
            json!({
                "textDocument": { "uri": uri(&self.folder.join(file)) },
                "range": {
                    "start": { "line": 0, "character": 0 },
                    "end": { "line": lines.len(), "character": 0 },
                },
            }),
        );
        let hints = answer.as_array().cloned().unwrap_or_default();
        let shown = hints.iter().map(|hint| {
            let label = match &hint["label"] {
                Value::String(text) => text.clone(),
                parts => {
                    let parts = parts.as_array().cloned().unwrap_or_default();
                    let texts = parts.iter().filter_map(|part| part["value"].as_str());
                    texts.collect()
                }
            };
            let line = lines[hint["position"]["line"].as_u64().unwrap() as usize];
            let column = hint["position"]["character"].as_u64().unwrap() as usize;
            format!("{}{label}", line[..column].trim_start())
        });
        shown.collect()
    }

    /// The mistakes that the server itself sees, each with the text that it is shown at.
    pub fn mistakes(&mut self, file: &str) -> Vec<String> {
        let params = json!({ "textDocument": { "uri": uri(&self.folder.join(file)) } });
        let answer = self.server.request("textDocument/diagnostic", params);
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let text = &self.files[file];
        let shown = items.iter().map(|item| {
            let (start, end) = (&item["range"]["start"], &item["range"]["end"]);
            let line = text.lines().nth(start["line"].as_u64().unwrap() as usize);
            let line = line.unwrap_or_default();
            let column = start["character"].as_u64().unwrap() as usize;
            let place = if start["line"] == end["line"] {
                &line[column..end["character"].as_u64().unwrap() as usize]
            } else {
                &line[column..]
            };
            format!("«{place}» {}", item["message"].as_str().unwrap())
        });
        shown.collect()
    }
}
