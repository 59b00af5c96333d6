//! Loops in the body of an annotated function.

use quote::quote;

use super::{dense, expand};

#[test]
fn loops_in_the_body_use_the_pool() {
    let text = expand(
        quote!(),
        quote! {
            fn load(n: u8) {
                parallel_for!(for a in 0..n { futureproof::parallel_for![workers = 3, for b in a {}] });
                vec![{ futureproof::parallel_for! { pool = mine, for a in 0..n {} } }];
                parallel_for!(name = pool == 1, 'a: for pool in x {});
                parallel_for!(workers = f::<A, B>(), pool = mine, for a in 0..n {});
                let parallel_for = 1;
                fn inner() { parallel_for!(for x in y {}) }
            }
        },
    );
    let text = dense(&text.to_string());
    for wanted in [
        "parallel_for!(pool=load::pool(),forain0..n",
        "parallel_for![pool=load::pool(),workers=3,",
        "parallel_for!{pool=mine,",
        "parallel_for!(pool=load::pool(),name=pool==1,",
        "parallel_for!(workers=f::<A,B>(),pool=mine,",
        "parallel_for!(pool=load::pool(),forxiny",
        "letparallel_for=1;",
    ] {
        assert!(text.contains(wanted), "no {wanted} in {text}");
    }
    let text = expand(
        quote!(),
        quote! {
            fn get(&self) { parallel_for!(for x in y {}); fn inner() { parallel_for!(for x in z {}) } }
        },
    );
    let text = dense(&text.to_string());
    assert!(text.contains("(pool=Self::get_pool(),forxiny"), "{text}");
    assert!(text.contains("(forxinz"), "{text}");
    assert!(
        dense(
            &expand(
                quote!(type = Mine),
                quote! { fn f() { parallel_for!(for x in y {}) } }
            )
            .to_string()
        )
        .contains("pool=Mine::pool()")
    );
}
