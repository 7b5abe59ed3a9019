//! The types and the test functions that Rust source defines.

use crate::lexer::{Kind, Token};

/// A definition: its name and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    pub line: usize,
}

/// The items of one file.
#[derive(Default)]
pub struct Items {
    /// Types at module level, those of test modules left out.
    pub types: Vec<Item>,
    /// Functions with the attribute `#[test]`.
    pub tests: Vec<Item>,
    /// Modules in files of their own that are compiled only for tests.
    pub test_modules: Vec<String>,
}

/// The beginning of an item, up to its body or its semicolon.
#[derive(Default)]
struct Header {
    keyword: Option<String>,
    name: Option<Item>,
    is_cfg_test: bool,
    is_test: bool,
}

const KEYWORDS: [&str; 12] = [
    "mod",
    "fn",
    "impl",
    "trait",
    "struct",
    "enum",
    "union",
    "type",
    "static",
    "use",
    "macro_rules",
    "extern",
];
const TYPES: [&str; 5] = ["struct", "enum", "trait", "type", "union"];

/// Lists the items that `tokens` define.
pub fn items(tokens: &[Token]) -> Items {
    let code: Vec<_> = tokens
        .iter()
        .filter(|t| matches!(t.kind, Kind::Ident | Kind::Punct))
        .collect();
    let mut items = Items::default();
    let mut header = Header::default();
    // Of each open brace: whether it is the body of a module that is compiled without tests.
    let mut scopes = Vec::new();
    let mut at = 0;
    while let Some(token) = code.get(at) {
        at += 1;
        let at_module_level = scopes.iter().all(|is_module| *is_module);
        match token.text.as_str() {
            "#" => {
                let end = attribute_end(&code, at);
                let text: String = code[at..end].iter().map(|t| t.text.as_str()).collect();
                header.is_cfg_test |= text.starts_with("[cfg(")
                    && text.contains("test")
                    && !text.contains("not(test)");
                header.is_test |= text == "[test]";
                at = end;
            }
            "{" => {
                items.add(&header, at_module_level);
                scopes.push(header.keyword.as_deref() == Some("mod") && !header.is_cfg_test);
                header = Header::default();
            }
            "}" => {
                scopes.pop();
                header = Header::default();
            }
            ";" => {
                items.add(&header, at_module_level);
                let name = header.name.take().filter(|_| header.is_cfg_test);
                if header.keyword.as_deref() == Some("mod") {
                    items.test_modules.extend(name.map(|n| n.name));
                }
                header = Header::default();
            }
            word if header.keyword.is_none() && KEYWORDS.contains(&word) => {
                let next = code.get(at).filter(|t| t.kind == Kind::Ident);
                if word != "union" || next.is_some() {
                    header.keyword = Some(word.to_owned());
                    header.name = next.map(|t| Item {
                        name: t.text.clone(),
                        line: t.line,
                    });
                }
            }
            // `extern "C" fn` is a function, `static` blocks have no types.
            "fn" if header.keyword.as_deref() == Some("extern") => {
                header.keyword = Some("fn".to_owned());
                header.name = code.get(at).map(|t| Item {
                    name: t.text.clone(),
                    line: t.line,
                });
            }
            _ => {}
        }
    }
    items
}

impl Items {
    fn add(&mut self, header: &Header, at_module_level: bool) {
        let (Some(keyword), Some(item)) = (&header.keyword, &header.name) else {
            return;
        };
        if TYPES.contains(&keyword.as_str()) && at_module_level && !header.is_cfg_test {
            self.types.push(item.clone());
        }
        if keyword == "fn" && header.is_test {
            self.tests.push(item.clone());
        }
    }
}

/// The index after the attribute whose bracket is at `at`, or after `!`.
fn attribute_end(code: &[&Token], at: usize) -> usize {
    let mut depth = 0;
    for (i, token) in code.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "[" => depth += 1,
            "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && token.text != "!" {
            return i + 1;
        }
    }
    code.len()
}
