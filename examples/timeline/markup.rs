//! SVG as text: escaping, numbers, and how things look.

use std::fmt::{self, Display};

/// `write!` to a `String`, which cannot fail.
macro_rules! put {
    ($out:expr, $($format:tt)*) => {{
        use ::std::fmt::Write as _;
        let _ = write!($out, $($format)*);
    }};
}

pub(crate) use put;

/// Any text where XML allows text: in an element or between double quotes.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                // XML has no way to write these; Unicode has pictures of the first of them.
                '\0'..' ' => write!(f, "{}", pictured(char))?,
                '\x7f'..'\u{a0}' | '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}")?,
                _ => write!(f, "{char}")?,
            }
        }
        Ok(())
    }
}

fn pictured(control: char) -> char {
    char::from_u32(0x2400 + u32::from(control)).unwrap_or('\u{fffd}')
}

/// A coordinate, to a tenth of a pixel.
pub(crate) struct Px(pub(crate) f64);

impl Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        write!(f, "{}", if tenths == 0.0 { 0.0 } else { tenths })
    }
}

/// Cuts `text` to what fits into `chars`.
pub(crate) fn fit(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    let cut = text.chars().take(chars.saturating_sub(1));
    cut.chain(['…']).collect()
}

/// How many colours there are for loops and pools. Red and black mean failures.
pub(crate) const COLOURS: usize = 6;

/// Loops are filled and have corners; pools have an outline and are round (see `rx` where they are drawn).
pub(crate) const STYLE: &str = "\
text{font:12px ui-sans-serif,system-ui,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328}
.b{font-weight:600}.m{font-size:10px;fill:#59636e}.r{text-anchor:end}.c{text-anchor:middle}
.n{font-size:10px;text-anchor:middle;pointer-events:none}.loop+.n{fill:#fff}
.bg{fill:#fff}.row{fill:#f6f8fa}.grid{stroke:#d1d9e0}.axis{stroke:#59636e}
.gauge{fill:#d1d9e0}.busy{fill:#59636e}
.pool{fill-opacity:.22;stroke-width:1}.loop{stroke:#fff;stroke-width:.5}
.loop.many,.pool.many{stroke:none}.pool.many{fill-opacity:.6}
.k0{fill:#2f6fb3}.k1{fill:#b7791f}.k2{fill:#1b8a6b}.k3{fill:#8250df}.k4{fill:#0e8a9c}.k5{fill:#bf3989}
.pool.k0{stroke:#2f6fb3}.pool.k1{stroke:#b7791f}.pool.k2{stroke:#1b8a6b}
.pool.k3{stroke:#8250df}.pool.k4{stroke:#0e8a9c}.pool.k5{stroke:#bf3989}
.any,.left{fill:#59636e}.failed{fill:#d1242f}.panicked{fill:#1f2328}
.pool.any,.pool.left{stroke:#59636e}.pool.failed{stroke:#d1242f}.pool.panicked{stroke:#1f2328}
.badge{stroke:#fff;stroke-width:1.5}.sign{fill:none;stroke:#fff;stroke-width:1.5;stroke-linecap:round}
.bad{fill:#d1242f}.wait{fill:none;stroke:#d1242f;stroke-dasharray:2 2;stroke-opacity:.75}
";

/// What is different where the reader's surroundings are dark.
pub(crate) const DARK: &str = "\
text{fill:#f0f6fc}.m{fill:#9198a1}.bg{fill:#0d1117}.row{fill:#151b23}.grid{stroke:#3d444d}.axis{stroke:#9198a1}
.any{fill:#9198a1}.pool.any{stroke:#9198a1}
.pool.k0{stroke:#4493f8}.pool.k1{stroke:#d29922}.pool.k2{stroke:#3fb950}
.pool.k3{stroke:#ab7df8}.pool.k4{stroke:#39c5cf}.pool.k5{stroke:#db61a2}
.gauge{fill:#3d444d}.busy{fill:#9198a1}.loop{stroke:#0d1117}
.panicked{fill:#f0f6fc}.pool.panicked{stroke:#f0f6fc}.loop.panicked+.n{fill:#0d1117}
.badge{stroke:#0d1117}.sign.dark{stroke:#0d1117}.bad{fill:#ff7b72}.wait{stroke:#ff7b72}
";
