//! The screen that a terminal shows after some output.

/// The screen of a terminal like xterm.
pub struct Screen {
    /// The output of the program.
    pub output: String,
    /// The lines up to the last one with text, without spaces at their ends.
    pub lines: Vec<Line>,
    /// The row and the column of the cursor, from 0.
    pub cursor: (u16, u16),
}

/// A line of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    /// True if the terminal had to continue it on the next line.
    pub is_broken: bool,
}

impl Screen {
    /// Returns the screen of a terminal with `columns` columns after `output`.
    pub fn new(output: &[u8], columns: u16) -> Self {
        let lines = output.split(|byte| *byte == b'\n').count();
        // Enough that nothing scrolls out, also where the terminal breaks lines.
        let rows = u16::try_from(lines * 2 + 50).unwrap();
        let mut parser = vt100::Parser::new(rows, columns, 0);
        parser.process(output);
        let screen = parser.screen();
        let mut lines: Vec<_> = (0..)
            .zip(screen.rows(0, columns))
            .map(|(row, text)| Line {
                is_broken: screen.row_wrapped(row),
                // A line may be broken at a space.
                text: if screen.row_wrapped(row) {
                    text
                } else {
                    text.trim_end().to_owned()
                },
            })
            .collect();
        while lines.last().is_some_and(|line| line.text.is_empty()) {
            lines.pop();
        }
        Self {
            output: String::from_utf8_lossy(output).into_owned(),
            lines,
            cursor: screen.cursor_position(),
        }
    }

    /// Returns the lines as one text.
    pub fn text(&self) -> String {
        let lines = self.lines.iter().map(|line| format!("{}\n", line.text));
        lines.collect()
    }

    /// Returns the lines as one text, where a word that the terminal had to break is one word.
    pub fn text_without_breaks(&self) -> String {
        let lines = self.lines.iter().map(|line| {
            let end = if line.is_broken { "" } else { "\n" };
            format!("{}{end}", line.text)
        });
        lines.collect()
    }
}
