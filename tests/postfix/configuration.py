"""What a Postfix of ours has in main.cf and master.cf, whatever a test adds to it."""

MAIN = {
    "compatibility_level": "3.6",
    "mail_owner": "postfix",
    "setgid_group": "postdrop",
    "myhostname": "relay.example",
    "mydomain": "relay.example",
    "mydestination": "",
    "mynetworks": "127.0.0.0/8",
    "inet_interfaces": "loopback-only",
    "inet_protocols": "ipv4",
    # Nothing here may ask DNS.
    "disable_dns_lookups": "yes",
    "smtp_host_lookup": "native",
    "smtpd_peername_lookup": "no",
    "alias_maps": "",
    "local_recipient_maps": "",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "smtpd_error_sleep_time": "0",
    "smtpd_timeout": "300s",
    # Taking messages is not slowed down for the sake of delivering them.
    "in_flow_delay": "0",
    # Its own troubles are nothing that it should write letters about.
    "notify_classes": "",
    "default_process_limit": "20",
    "minimal_backoff_time": "1s",
    "queue_run_delay": "1s",
}

#: No service runs in a chroot, and what is not here (pickup, local, pipe…) nothing needs.
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
proxymap   unix  - - n - - proxymap
smtp       unix  - - n - - smtp
relay      unix  - - n - - smtp
error      unix  - - n - - error
retry      unix  - - n - - error
discard    unix  - - n - - discard
scache     unix  - - n - 1 scache
anvil      unix  - - n - 1 anvil
postlog    unix-dgram n - n - 1 postlogd
"""
