use futureproof::parallel_for;

macro_rules! on {
    ($value:ident is $wanted:literal then $what:expr) => {
        if $value == $wanted {
            $what
        }
    };
}

fn main() {
    parallel_for!(
        for n in 0..10 {
            on!(n is 3 then return);
        }
    );
}
