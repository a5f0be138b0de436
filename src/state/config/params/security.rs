//! Who may do what: passwords, users, protected commands, TLS.

use super::{
    super::{Kind, Neglect, PROTECTED, Param, Unit, param},
    kinds::*,
};

/// `acl-pubsub-default`, and which of them opens all channels.
pub const ACL_PUBSUB_DEFAULTS: &[&str] = &["allchannels", "resetchannels"];
pub const ALL_CHANNELS: usize = 0;

pub const PARAMS: &[Param] = &[
    param("acl-pubsub-default", choice(|c| &mut c.acl_pubsub_default, ACL_PUBSUB_DEFAULTS)),
    param("aclfile", text(|c| &mut c.aclfile)).immutable(),
    param("acllog-max-len", int(|c| &mut c.acllog_max_len, 0, LONG_MAX)),
    param("enable-debug-assert", stored_flag("no")).immutable().hidden(),
    param("enable-debug-command", choice(|c| &mut c.enable_debug_command, PROTECTED)).immutable(),
    param("enable-module-command", choice(|c| &mut c.enable_module_command, PROTECTED)).immutable(),
    param("enable-protected-configs", choice(|c| &mut c.enable_protected_configs, PROTECTED)).immutable(),
    param("lua-enable-insecure-api", stored_flag("no")).hidden().protected(),
    param("protected-mode", flag(|c| &mut c.protected_mode)),
    param("requirepass", Kind::Bytes(|c| &mut c.requirepass)).sensitive(),
    param("tls-auth-clients", stored_choice("yes", &["no", "yes", "optional"])),
    param("tls-ca-cert-dir", stored_text("")),
    param("tls-ca-cert-file", stored_text("")),
    param("tls-cert-file", stored_text("")),
    param("tls-ciphers", stored_text("")),
    param("tls-ciphersuites", stored_text("")),
    param("tls-client-cert-file", stored_text("")),
    param("tls-client-key-file", stored_text("")),
    param("tls-client-key-file-pass", stored_text("")).sensitive(),
    param("tls-cluster", fixed_flag("no", Neglect::Hazard)),
    param("tls-dh-params-file", stored_text("")),
    param("tls-key-file", stored_text("")),
    param("tls-key-file-pass", stored_text("")).sensitive(),
    param("tls-port", fixed_int("0", 0, 65_535, Unit::Plain, Neglect::Hazard)),
    param("tls-prefer-server-ciphers", stored_flag("no")),
    param("tls-protocols", stored_text("")),
    param("tls-replication", fixed_flag("no", Neglect::Hazard)),
    param("tls-session-cache-size", stored_int("20480", 0, INT_MAX)),
    param("tls-session-cache-timeout", stored_int("300", 0, INT_MAX)),
    param("tls-session-caching", stored_flag("yes")),
];
