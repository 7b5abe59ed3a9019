//! Splits Rust and Python source into comments, strings, identifiers and punctuation.

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Doc,
    Comment,
    Str,
    Ident,
    Punct,
}

/// A token with its text and the line of its first character. Numbers, characters and lifetimes are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
    pub text: String,
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

/// Lexes Rust source. Invalid source gives some tokens, never a panic.
pub fn rust(source: &str) -> Vec<Token> {
    let mut lexer = Lexer::new(source);
    while let Some(c) = lexer.peek(0) {
        match c {
            '/' if lexer.peek(1) == Some('/') => lexer.line_comment(),
            '/' if lexer.peek(1) == Some('*') => lexer.block_comment(),
            '"' => lexer.string(1, true),
            '\'' => lexer.character_or_lifetime(),
            c if is_word(c) => lexer.rust_word(),
            c => lexer.punctuation(c),
        }
    }
    lexer.tokens
}

/// Lexes Python source.
pub fn python(source: &str) -> Vec<Token> {
    let mut lexer = Lexer::new(source);
    while let Some(c) = lexer.peek(0) {
        match c {
            '#' => {
                let line = lexer.line;
                let text = lexer.rest_of_line();
                lexer.push(Kind::Comment, line, text.trim_start_matches('#').to_owned());
            }
            '"' | '\'' => lexer.python_string(true),
            c if is_word(c) => lexer.python_word(),
            c => lexer.punctuation(c),
        }
    }
    lexer.tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Lexer {
    fn new(source: &str) -> Self {
        Lexer {
            chars: source.chars().collect(),
            at: 0,
            line: 1,
            tokens: Vec::new(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn push(&mut self, kind: Kind, line: usize, text: String) {
        self.tokens.push(Token { kind, line, text });
    }

    fn punctuation(&mut self, c: char) {
        if !c.is_whitespace() {
            self.push(Kind::Punct, self.line, c.to_string());
        }
        self.next();
    }

    fn rest_of_line(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek(0).filter(|c| *c != '\n') {
            text.push(c);
            self.next();
        }
        text
    }

    fn word(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek(0).filter(|c| is_word(*c)) {
            text.push(c);
            self.next();
        }
        text
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let text = self.rest_of_line();
        let is_doc =
            text.starts_with("//!") || (text.starts_with("///") && !text.starts_with("////"));
        let kind = if is_doc { Kind::Doc } else { Kind::Comment };
        let text = text.trim_start_matches('/');
        let text = if is_doc {
            text.strip_prefix('!').unwrap_or(text)
        } else {
            text
        };
        self.push(kind, line, text.to_owned());
    }

    /// Reads a block comment with the comments nested in it; each of its lines loses its leading stars.
    fn block_comment(&mut self) {
        let line = self.line;
        let mut depth = 0;
        let mut text = String::new();
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    text.push_str("/*");
                    self.at += 2;
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        break;
                    }
                }
                (Some(c), _) => {
                    text.push(c);
                    self.next();
                }
                (None, _) => break,
            }
        }
        let is_doc = text.starts_with("/*!") || (text.starts_with("/**") && text.len() > 3);
        let lines: Vec<_> = text[2..]
            .lines()
            .map(|l| l.trim_start().trim_start_matches(['*', '!']))
            .collect();
        let kind = if is_doc { Kind::Doc } else { Kind::Comment };
        self.push(kind, line, lines.join("\n"));
    }

    /// Reads a string whose first quote is `skip - 1` characters ahead. Escapes become blanks.
    fn string(&mut self, skip: usize, escapes: bool) {
        let line = self.line;
        self.at += skip;
        let mut text = String::new();
        while let Some(c) = self.next().filter(|c| *c != '"') {
            if c == '\\' && escapes {
                self.escape(&mut text);
            } else {
                text.push(c);
            }
        }
        self.push(Kind::Str, line, text);
    }

    fn escape(&mut self, text: &mut String) {
        match self.next() {
            Some('u') if self.peek(0) == Some('{') => {
                while self.next().is_some_and(|c| c != '}') {}
                text.push(' ');
            }
            Some(c @ ('"' | '\'' | '\n')) => text.push(c),
            _ => text.push(' '),
        }
    }

    /// Reads `"…"#` from its first quote on, with as many hashes at its end as `hashes`.
    fn raw_string(&mut self, hashes: usize) {
        let line = self.line;
        self.at += hashes + 1;
        let mut text = String::new();
        while let Some(c) = self.next() {
            if c == '"' && (0..hashes).all(|i| self.peek(i) == Some('#')) {
                self.at += hashes;
                break;
            }
            text.push(c);
        }
        self.push(Kind::Str, line, text);
    }

    fn character_or_lifetime(&mut self) {
        self.next();
        match (self.peek(0), self.peek(1)) {
            (Some('\\'), _) => {
                self.escape(&mut String::new());
                while self.next().is_some_and(|c| c != '\'') {}
            }
            (Some(_), Some('\'')) => self.at += 2,
            _ => drop(self.word()),
        }
    }

    /// Reads an identifier, a number, or the string that a prefix such as `br#` begins.
    fn rust_word(&mut self) {
        let line = self.line;
        let word = self.word();
        let rest = &self.chars[self.at..];
        let hashes = rest.iter().take_while(|c| **c == '#').count();
        let quoted = self.peek(hashes) == Some('"');
        match word.as_str() {
            "r" | "br" | "cr" if quoted => self.raw_string(hashes),
            "b" | "c" if quoted && hashes == 0 => self.string(1, true),
            "b" if self.peek(0) == Some('\'') => self.character_or_lifetime(),
            "r" if hashes == 1 => {
                self.at += 1;
                let word = self.word();
                self.push(Kind::Ident, line, word);
            }
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => {}
            _ => self.push(Kind::Ident, line, word),
        }
    }

    fn python_word(&mut self) {
        let line = self.line;
        let word = self.word();
        let is_prefix = word.len() <= 2 && word.chars().all(|c| "rRbBfFuU".contains(c));
        if is_prefix && matches!(self.peek(0), Some('"' | '\'')) {
            self.python_string(!word.to_lowercase().contains('r'));
        } else if !word.starts_with(|c: char| c.is_ascii_digit()) {
            self.push(Kind::Ident, line, word);
        }
    }

    fn python_string(&mut self, escapes: bool) {
        let line = self.line;
        let quote = self.peek(0);
        let length = if self.peek(1) == quote && self.peek(2) == quote {
            3
        } else {
            1
        };
        self.at += length;
        let mut text = String::new();
        while self.peek(0).is_some() && !(0..length).all(|i| self.peek(i) == quote) {
            match self.next() {
                Some('\\') if escapes => self.escape(&mut text),
                Some('\\') => text.extend(['\\'].into_iter().chain(self.next())),
                Some(c) => text.push(c),
                None => {}
            }
        }
        self.at += length;
        self.push(Kind::Str, line, text);
    }
}
