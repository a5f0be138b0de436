"""Users with random rules, and what they may do, for the differential test."""

import random

import harness

USERS = ["u1", "u2", "u3"]
KEYS = ["a1", "a2", "b1", "b2", "c"]
WORDS = ["a", "b*", "foo", "ba[rz]", "x\ty", "", "*", "k1", "k?", "a b", '"q"', "n\0m"]
SWITCHES = ["on", "off", "ON", "nopass", "resetpass", "reset", "clearselectors", "sanitize-payload",
            "skip-sanitize-payload", "x", "", "+", "-", "(", ")", "()", "( )"]  # fmt: skip
WHOLES = ["allkeys", "resetkeys", "allchannels", "resetchannels", "allcommands", "nocommands", "~*", "&*", "AllKeys"]
KEY_PREFIXES = ["~", "~", "~", "%R~", "%W~", "%RW~", "%r~", "%wr~", "%R", "%~", "%RR~", "%X~"]
# Of these a user keeps enough to go on.
USEFUL = ["+@all", "-@all", "+@read", "+@write", "-@write", "allkeys", "resetkeys", "~a*", "%R~b*", "%W~b*", "%RW~c",
          "~l*", "~z*", "%R~*", "allchannels", "resetchannels", "&a*", "&b1", "+get", "-get", "+set", "+select|0",
          "-select", "+client", "-client", "+config|get", "+@pubsub", "+@transaction", "+@connection", "-ping", "+acl",
          "+acl|whoami", "+sort", "+eval", "-exec", "-multi", "(+get ~c)", "(+@all ~b1 &c)", "(+set %W~a*)",
          "clearselectors", "reset", "on", "off", "nopass", ">p", "resetpass"]  # fmt: skip
ARGUMENTS = ["a", "b", "foo", "bar", "k1", "x", "1", "2", "0", "STORE", "GET", "BY", "LIMIT", "STREAMS", "KEYS", "COUNT",
             "-1", "3", "", "AUTH", "AUTH2", "STOREDIST", "GROUP", "SET", "INCRBY", "u8", "BLOCK", "$", "*"]  # fmt: skip
# How the client of a refusal is described: what hangs on neither buffers nor time.
FIELDS = {"db", "sub", "psub", "ssub", "cmd", "user", "resp", "flags", "argv-mem"}


class Rules:
    """Random rules and calls."""

    def __init__(self, seed, commands, categories):
        self.random = random.Random(seed)
        self.commands, self.categories = sorted(commands), categories

    def one(self, *choices):
        return self.random.choice(choices)

    def command_rule(self):
        name = self.random.choice(self.commands)
        chance = self.random.random()
        if chance < 0.1:
            name = name.upper()
        elif chance < 0.2:
            name += "|" + self.one("get", "0", "1", "GET", "", "zz")
        return self.one("+", "-") + name

    def simple(self):
        chance = self.random.random()
        if chance < 0.3:
            return self.command_rule()
        if chance < 0.45:
            return self.one("+@", "-@") + self.one(*self.categories, "all", "ALL", "nosuch", "")
        if chance < 0.7:
            return self.one(*KEY_PREFIXES) + self.one(*WORDS)
        if chance < 0.8:
            return "&" + self.one(*WORDS)
        return self.one(*WHOLES)

    def rule(self):
        chance = self.random.random()
        if chance < 0.65:
            return self.simple()
        if chance < 0.75:
            return self.one(*SWITCHES)
        if chance < 0.82:
            return self.one(">", "<") + self.one("p1", "p2", "", "p3\0x")
        if chance < 0.86:
            return self.one("#", "!") + self.one("a" * 64, "b" * 64, "A" * 64, "c" * 63, "g" * 64, "")
        inner = " ".join(self.simple() for _ in range(self.random.randint(0, 3)))
        return self.one("(", "( ") + inner + self.one(")", " )", ")" if self.random.random() < 0.9 else "")

    def rules(self):
        while True:
            rules = [self.rule() for _ in range(self.random.randint(1, 4))]
            # What Valkey would end at: a first argument that is no word.
            if not any("|" in rule and set(rule) & set("\"'\t\0") for rule in rules):
                return rules

    def key(self):
        return self.random.choice(KEYS)

    def call(self):
        """A command that some user may run and another not."""
        one, key, other = self.one, self.key(), self.key()
        return one(
            ["GET", key], ["SET", key, 1], ["SET", key, 1, "GET"], ["DEL", key, other], ["MGET", key, other],
            ["LPUSH", "l" + key, "x"], ["LMOVE", "l" + key, "l" + other, "LEFT", "RIGHT"], ["RENAME", key, other],
            ["COPY", key, other, "REPLACE"], ["BITFIELD", key, "GET", "u8", 0], ["BITFIELD", key, "SET", "u8", 0, 1],
            ["SORT", "l" + key, "BY", "w*"], ["SORT", "l" + key, "GET", "#"], ["SORT_RO", "l" + key, "BY", "x"],
            ["XREAD", "COUNT", 1, "STREAMS", "s" + key, 0], ["ZUNIONSTORE", "z" + key, 2, "z" + other, "z" + key],
            ["EVAL", "return 1", 1, key], ["EVAL", f"return redis.pcall('get', '{key}')", 0],
            ["EVAL", f"return redis.acl_check_cmd('set', '{key}', '1')", 0], ["BLPOP", "l" + key, "0.01"],
            ["SUBSCRIBE", key], ["UNSUBSCRIBE", key], ["PSUBSCRIBE", key + "*"], ["PUNSUBSCRIBE", key + "*"],
            ["SSUBSCRIBE", key], ["SUNSUBSCRIBE", key], ["PUBLISH", key, "m"], ["SPUBLISH", key, "m"],
            ["MULTI"], ["MULTI"], ["EXEC"], ["EXEC"], ["DISCARD"], ["WATCH", key], ["UNWATCH"],
            ["AUTH", one(*USERS, "nobody", "default"), one("p", "q")], ["ACL", "WHOAMI"], ["ACL", "LIST"],
            ["ACL", "SETUSER", "u1", "+get"], ["SELECT", one(0, 1)], ["CLIENT", "GETNAME"], ["CONFIG", "GET", "nosuch"],
            ["PING"], ["NOSUCH"], ["GET"], ["OBJECT", "ENCODING", key], ["RESET" if one(*range(5)) == 0 else "PING"],
        )  # fmt: skip


class Both:
    """One client of each server."""

    def __init__(self, servers, user=None):
        self.ends = [server.connect() for server in servers]
        if user:
            self.call("AUTH", user, "p")

    def call(self, *args):
        return [self.end(connection, args) for connection in self.ends]

    @staticmethod
    def end(connection, args):
        try:
            connection.send(*(arg.encode("latin-1") if isinstance(arg, str) else arg for arg in args))
            return connection.read()
        except (harness.Closed, OSError):
            return "closed"

    def close(self):
        for connection in self.ends:
            connection.close()


def without_time(reply):
    """The entries of ACL LOG, without what hangs on time and buffers."""
    if reply[0] != b"*":
        return reply
    entries = []
    for entry in harness.plain(reply):
        fields = dict(zip(entry[::2], entry[1::2]))
        for name in (b"age-seconds", b"timestamp-created", b"timestamp-last-updated"):
            fields[name] = type(fields[name])
        client = dict(field.split("=", 1) for field in fields[b"client-info"].decode("latin-1").split(" "))
        fields[b"client-info"] = {name: client[name] for name in FIELDS}
        entries.append(fields)
    return entries


def play(ours, theirs, seed, commands, report, known):
    """Users change while they call."""
    servers = (ours, theirs)
    admin = Both(servers)
    categories = [name for name in harness.plain(admin.call("ACL", "CAT")[0])]
    rules = Rules(seed, known, [name.decode() for name in categories])
    clients = {}
    for user in USERS:
        admin.call("ACL", "SETUSER", user, "on", "nopass")
        clients[user] = Both(servers, user)
    made, history = [f"v{number}" for number in range(4)], []
    for at in range(commands):
        chance, user = rules.random.random(), rules.one(*USERS)
        client, clean = admin, lambda reply: reply
        if chance < 0.15:
            call = ["ACL", "SETUSER", user, *rules.random.sample(USEFUL, rules.random.randint(1, 4))]
            if chance < 0.06:
                call += ["on", "nopass", "+@all", "allkeys"]
        elif chance < 0.3:
            call = ["ACL", "SETUSER", rules.one(*made), *rules.rules()]
        elif chance < 0.36:
            call = rules.one(["ACL", "GETUSER", rules.one(*made, *USERS)], ["ACL", "LIST"], ["ACL", "USERS"])
        elif chance < 0.45:
            name = rules.random.choice(rules.commands).split("|")
            arguments = [rules.one(*ARGUMENTS) for _ in range(rules.random.randint(0, 7))]
            call = ["ACL", "DRYRUN", rules.one(*made, *USERS), *name, *arguments]
        elif chance < 0.48:
            call, clean = ["ACL", "LOG", rules.one("0", "5", "100", "-1")], without_time
        elif chance < 0.5:
            call = rules.one(
                ["ACL", "LOG", "RESET"],
                ["CONFIG", "SET", "acllog-max-len", rules.one("0", "1", "5", "100")],
                ["CONFIG", "SET", "acl-pubsub-default", rules.one("allchannels", "resetchannels")],
                ["ACL", "DELUSER", *made[:2]],
                ["ACL", "DELUSER", user],
            )
        else:
            client, call = clients[user], rules.call()
        replies = [clean(reply) if reply != "closed" else reply for reply in client.call(*map(str, call))]
        line = [str(arg).encode("latin-1") for arg in call]
        history = [*history[-15:], (at, [(b"admin" if client is admin else user.encode()) + b">", *line])]
        if replies[0] != replies[1]:
            report.add(at, line, *replies, history)
        if "closed" in replies:
            clients[user].close()
            admin.call("ACL", "SETUSER", user, "on", "nopass")
            clients[user] = Both(servers, user)
    return report
