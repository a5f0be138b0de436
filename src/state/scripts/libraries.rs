//! The libraries that FUNCTION LOAD brought, and their functions by name.

use crate::{
    base::hash::Seed,
    script::{Backend, Function, Host, Mode, Registration, flags::ScriptFlags, is_name},
};
use std::collections::{BTreeMap, HashMap};

/// What names of libraries and functions must be like. Redis 7 says this of both, and Valkey's own tests want it so, though
/// its later releases speak of functions where a function's name is wrong.
pub const NAME_RULE: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

/// A library: its text and what it registered.
#[derive(Debug)]
pub struct Library {
    pub code: Box<[u8]>,
    pub functions: Vec<Registration>,
}

/// A function as it is called.
#[derive(Clone, Debug)]
pub struct Callable {
    pub name: Vec<u8>,
    pub function: Function,
    pub flags: ScriptFlags,
}

/// What is done where a library of the same name is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// All libraries that were there go.
    Flush,
    /// It is an error.
    Append,
    Replace,
}

/// Libraries, and the state in which their functions run.
pub struct Libraries {
    by_name: BTreeMap<Vec<u8>, Library>,
    /// By names in lower case.
    functions: HashMap<Vec<u8>, Callable, Seed>,
    /// The state, once there was a library; taken out while a function runs.
    pub host: Option<Box<Host>>,
}

impl Libraries {
    /// No libraries.
    pub fn new(seed: Seed) -> Libraries {
        Libraries { by_name: BTreeMap::new(), functions: HashMap::with_hasher(seed), host: None }
    }

    /// How many libraries there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// How many functions there are.
    pub fn functions_len(&self) -> usize {
        self.functions.len()
    }

    /// All libraries, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Library)> {
        self.by_name.iter().map(|(name, library)| (name.as_slice(), library))
    }

    /// A function by its name, in any case.
    pub fn function(&self, name: &[u8]) -> Option<&Callable> {
        self.functions.get(&name.to_ascii_lowercase())
    }

    /// Memory of texts and tables, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let of_library = |(name, library): (&Vec<u8>, &Library)| {
            let functions = library.functions.iter().map(|function| {
                size_of::<Registration>()
                    + function.name.len()
                    + function.description.as_ref().map_or(0, Vec::len)
            });
            name.len() + library.code.len() + size_of::<Library>() + functions.sum::<usize>()
        };
        let table = self.functions.capacity() * size_of::<(Vec<u8>, Callable)>();
        self.by_name.iter().map(of_library).sum::<usize>() + table
    }

    /// Memory of the state, in bytes.
    pub fn state_bytes(&self) -> usize {
        self.host.as_ref().map_or(0, |host| host.mem_bytes())
    }

    /// Takes the state, made where there is none yet. To be put back.
    pub fn take_host(&mut self) -> Box<Host> {
        self.host.take().unwrap_or_else(|| Box::new(Host::new(Mode::Functions)))
    }

    fn link(&mut self, name: Vec<u8>, library: Library) {
        for Registration { name, flags, function, .. } in &library.functions {
            let callable = Callable { name: name.clone(), function: *function, flags: *flags };
            self.functions.entry(name.to_ascii_lowercase()).or_insert(callable);
        }
        self.by_name.insert(name, library);
    }

    fn unlink(&mut self, name: &[u8]) -> Option<Library> {
        let library = self.by_name.remove(name)?;
        for function in &library.functions {
            self.functions.remove(&function.name.to_ascii_lowercase());
        }
        Some(library)
    }

    /// Adds libraries, all of them or none. The error is a text.
    pub fn join(
        &mut self,
        host: &mut Host,
        new: Vec<(Vec<u8>, Library)>,
        policy: Policy,
    ) -> Result<(), Vec<u8>> {
        let mut old = Vec::new();
        if policy == Policy::Flush {
            for name in self.by_name.keys().cloned().collect::<Vec<_>>() {
                old.extend(self.unlink(&name).map(|library| (name, library)));
            }
        }
        let mut refused = None;
        for (name, _) in &new {
            if let Some(library) = self.unlink(name) {
                old.push((name.clone(), library));
                if policy == Policy::Append {
                    refused = Some([b"Library ", &**name, b" already exists"].concat());
                    break;
                }
            }
        }
        let mut names = new.iter().flat_map(|(_, library)| &library.functions).map(|function| &function.name);
        if refused.is_none()
            && let Some(name) = names.find(|name| self.function(name).is_some())
        {
            refused = Some([b"Function ", &**name, b" already exists"].concat());
        }
        let (linked, dropped) = if refused.is_some() { (old, new) } else { (new, old) };
        linked.into_iter().for_each(|(name, library)| self.link(name, library));
        dropped.iter().for_each(|(_, library)| forget(host, library));
        match refused {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }

    /// Deletes a library; false where there is none of this name.
    pub fn delete(&mut self, name: &[u8]) -> bool {
        let Some(library) = self.unlink(name) else { return false };
        if let Some(host) = &mut self.host {
            forget(host, &library);
        }
        true
    }

    /// Deletes all libraries, and what the state holds.
    pub fn clear(&mut self) {
        self.by_name.clear();
        self.functions.clear();
        self.functions.shrink_to_fit();
        self.host = None;
    }
}

/// Runs the code of a library, a part of its `text`, so that it registers its functions. The error is a text.
pub fn load(
    host: &mut Host,
    (text, code): (&[u8], &[u8]),
    backend: &mut dyn Backend,
) -> Result<Library, Vec<u8>> {
    let functions = host.load_library(code, backend)?;
    let refused = if functions.is_empty() {
        Some("No functions registered")
    } else {
        functions.iter().enumerate().find_map(|(i, function)| {
            if !is_name(&function.name) {
                return Some(NAME_RULE);
            }
            let twice = functions[..i].iter().any(|other| other.name == function.name);
            twice.then_some("Function already exists in the library")
        })
    };
    let library = Library { code: text.into(), functions };
    match refused {
        Some(why) => {
            forget(host, &library);
            Err(why.into())
        }
        None => Ok(library),
    }
}

/// Lets the state forget the functions of a library.
pub fn forget(host: &mut Host, library: &Library) {
    library.functions.iter().for_each(|function| host.forget(function.function));
}
