//! Medians and their spread.

/// The middle of a set of figures and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The lower quartile.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The upper quartile.
    pub high: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Describes a set of figures.
    ///
    /// # Panics
    ///
    /// Panics when there are none.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self {
            min: quantile(&sorted, 0.0),
            low: quantile(&sorted, 0.25),
            median: quantile(&sorted, 0.5),
            high: quantile(&sorted, 0.75),
            max: quantile(&sorted, 1.0),
        }
    }
}

/// Returns the median of a set of figures.
///
/// # Panics
///
/// Panics when there are none.
#[must_use]
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    Spread::of(figures).median
}

/// Returns the figure of which so great a part is smaller, from 0 to 1; interpolates between neighbours.
///
/// # Panics
///
/// Panics when there are none.
#[must_use]
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    assert!(!sorted.is_empty(), "no figures to describe");
    let place = at * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_figures_lies_between_the_middle_two() {
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn a_spread_has_the_quartiles() {
        let spread = Spread::of([5.0, 1.0, 2.0, 4.0, 3.0]);
        let figures = [
            spread.min,
            spread.low,
            spread.median,
            spread.high,
            spread.max,
        ];
        assert_eq!(figures, [1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
