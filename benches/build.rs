//! Builds the peers that are written in C and C++. One whose compiler or library is missing is left out of the table.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(openmp)");
    println!("cargo::rustc-check-cfg=cfg(tbb)");
    println!("cargo::rerun-if-changed=c");
    Peer {
        name: "openmp",
        source: "c/openmp.c",
        flags: &["-fopenmp"],
        library: "gomp",
    }
    .build();
    Peer {
        name: "tbb",
        source: "c/tbb.cpp",
        flags: &["-std=c++17"],
        library: "tbb",
    }
    .build();
}

struct Peer {
    name: &'static str,
    source: &'static str,
    flags: &'static [&'static str],
    library: &'static str,
}

impl Peer {
    fn build(&self) {
        if !self.links() {
            println!(
                "cargo::warning={} is left out: {} does not build here",
                self.name, self.source
            );
            return;
        }
        self.compiler().compile(&format!("peer_{}", self.name));
        println!("cargo::rustc-link-lib={}", self.library);
        println!("cargo::rustc-cfg={}", self.name);
    }

    fn compiler(&self) -> cc::Build {
        let mut build = cc::Build::new();
        build
            .cpp(self.source.ends_with(".cpp"))
            .file(self.source)
            .opt_level(3)
            .flag("-march=native");
        for flag in self.flags {
            build.flag(flag);
        }
        build
    }

    /// Tries whether the source compiles and links, so that a missing library is no build failure.
    fn links(&self) -> bool {
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
        let Ok(compiler) = self.compiler().try_get_compiler() else {
            return false;
        };
        let main = out.join("main.c");
        fs::write(&main, "int main(void) { return 0; }\n").expect("OUT_DIR is writable");
        let linked = compiler
            .to_command()
            .arg(self.source)
            .arg(Path::new(&main))
            .arg("-o")
            .arg(out.join(format!("try-{}", self.name)))
            .arg(format!("-l{}", self.library))
            .output();
        linked.is_ok_and(|output| output.status.success())
    }
}
