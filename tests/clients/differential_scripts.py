"""Scripts, odd and random, that two servers run: each reply is compared byte for byte, over RESP2 and RESP3.

By hand, against running servers:

    python tests/clients/differential_scripts.py --ports 7000 7001 --random 20000 --seed 7
"""

import argparse
import random
import re

import harness

# What a script may say of itself that no two servers say alike.
MASKED = [
    (re.compile(r"(table|function|userdata|thread): (builtin: )?(0x)?[0-9a-fA-F]+"), r"\1: ADDRESS"),
]

VALUES = r"""
return 1 | return -1 | return 3.999 | return -0.5 | return 0/0 | return 1/0 | return -1/0 | return 1e300 | return 2^53
return 9223372036854775807 | return -9223372036854775808 | return 'a' | return '' | return 'a\0b' | return '10'
return true | return false | return nil | return | return {} | return {nil} | return {1, nil, 3} | return {[2]=1}
return {1, {2, {3, {4}}}} | return {true, false, 'x'} | return {err='x'} | return {err='X y'} | return {err=''}
return {err='a\r\nb\r\n'} | return {err='\r\n'} | return {err=5} | return {err={}} | return {ok='x'} | return {ok=''}
return {ok='a\r\nb'} | return {ok=5} | return {ok='a\0b'} | return {err='a\0b'} | return {1, {err='X y'}, {ok='z'}}
return {double=1.5} | return {double=0} | return {double=1/0} | return {double=-1/0} | return {double=0/0} | return {double=1e100}
return {double='1'} | return {double=3} | return {double=0.1} | return {big_number='123'} | return {big_number='1\r\n2'}
return {big_number=5} | return {verbatim_string={format='txt', string='a'}} | return {verbatim_string={format='x', string='a'}}
return {verbatim_string={format='markdown', string='a'}} | return {verbatim_string={format='', string=''}}
return {verbatim_string={string='a'}} | return {verbatim_string={format='txt'}} | return {verbatim_string='x'}
return {map={a=1}} | return {map={}} | return {map={[1]=2}} | return {map=5} | return {map={a={map={b=2}}}}
return {set={a=true}} | return {set={}} | return {set={[5]=1}} | return {set=1} | return {map={a=1}, set={b=1}}
return function() end | return coroutine.create(function() end) | return redis.call | return redis | return _G | return math
return {redis.call('ping'), 'x'} | return redis.status_reply('x') | return redis.error_reply('x') | return redis.error_reply('-x y')
return redis.error_reply('X y') | return redis.error_reply('') | return redis.error_reply('-') | return redis.error_reply('- x')
return redis.error_reply('a\r\nb c') | return redis.error_reply() | return redis.error_reply(5) | return redis.error_reply('a', 'b')
return redis.error_reply({}) | return redis.status_reply() | return redis.status_reply(5) | return redis.status_reply('a\r\n+b')
return redis.error_reply('a b').err | return redis.status_reply('a').ok | return redis.error_reply('-CODE text').err
return {1, 2, 3, nil, 5, a=1} | return ('x'):rep(70000) | local t = {} for i = 1, 100 do t[i] = i end return t
return {map={a={set={b=true}}}} | return {{{{{{}}}}}} | return setmetatable({}, {__index=function() return 5 end})
return {-1, 1.9, '1.9', 1e15, 1e16, 2^63, -2^63}
"""

RESP3 = r"""
redis.setresp(3) return true | redis.setresp(3) return false | redis.setresp(3) return nil | redis.setresp(3) return {true, false, nil, 1}
redis.setresp(3) return redis.call('hgetall', 'h') | redis.setresp(3) return redis.call('hgetall', 'none')
redis.setresp(3) return redis.call('get', 'none') | redis.setresp(3) return redis.call('smembers', 'one')
redis.setresp(3) return redis.call('zscore', 'z', 'a') | redis.setresp(3) return redis.call('zrange', 'z', 0, -1, 'withscores')
redis.setresp(3) return redis.call('zscore', 'z', 'none') | redis.setresp(3) return redis.call('config', 'get', 'port').map == nil
redis.setresp(3) return type(redis.call('hgetall', 'h')) | redis.setresp(3) return redis.call('hgetall', 'h').map.f
redis.setresp(3) return redis.call('zscore', 'z', 'a').double | redis.setresp(3) return redis.call('info', 'nothing')
redis.setresp(3) return type(redis.call('info').verbatim_string) | redis.setresp(3) return redis.call('sismember', 'one', 'a')
redis.setresp(2) return redis.call('hgetall', 'h') | redis.setresp(3) redis.setresp(2) return redis.call('hgetall', 'h')
redis.setresp(4) | redis.setresp() | redis.setresp('3') return redis.call('hgetall', 'h') | redis.setresp(2, 3) | redis.setresp(3.9) | redis.setresp({})
redis.setresp(3) return redis.pcall('incr', 's') | redis.setresp(3) return redis.call('debug', 'protocol', 'attrib')
redis.setresp(3) return redis.call('debug', 'protocol', 'map') | redis.setresp(3) return redis.call('debug', 'protocol', 'set')
redis.setresp(3) return redis.call('debug', 'protocol', 'double') | redis.setresp(3) return redis.call('debug', 'protocol', 'null')
redis.setresp(3) return redis.call('lrange', 'none', 0, -1) | redis.setresp(3) return redis.call('lpop', 'none', 2)
"""

CALLS = r"""
return redis.call() | return redis.pcall() | return redis.call({}) | return redis.call('set', 'k', {}) | return redis.call(nil)
return redis.call('set', 'k', true) | return redis.call('set', 'k') | return redis.call('nope') | return redis.pcall('nope')
return redis.call('') | return redis.call('get', nil) | return redis.call('set', 'n', 1.0) and redis.call('get', 'n')
return redis.call('set', 'n', 1.5) and redis.call('get', 'n') | return redis.call('set', 'n', 1e15) and redis.call('get', 'n')
return redis.call('set', 'n', 1e20) and redis.call('get', 'n') | return redis.call('set', 'n', -0.0) and redis.call('get', 'n')
return redis.call('set', 'n', 0/0) and redis.call('get', 'n') | return redis.call('set', 'n', 1/0) and redis.call('get', 'n')
return redis.call('set', 'n', -1/0) and redis.call('get', 'n') | return redis.call('set', 'n', 2^53) and redis.call('get', 'n')
return redis.call('set', 'n', 2^62) and redis.call('get', 'n') | return redis.call('set', 'n', 2^63) and redis.call('get', 'n')
return redis.call('set', 'n', -2^63) and redis.call('get', 'n') | return redis.call('set', 'n', 0.1 + 0.2) and redis.call('get', 'n')
return redis.call('set', 'n', 1e-7) and redis.call('get', 'n') | return redis.call('set', 'n', 123456789.123) and redis.call('get', 'n')
return redis.call('incr', 's') | return redis.pcall('incr', 's') | return redis.pcall('incr', 's').err | return {redis.pcall('incr', 's')}
return redis.call('subscribe', 'x') | return redis.call('eval', 'return 1', 0) | return redis.call('multi') | return redis.call('watch', 'x')
return redis.call('auth', 'x') | return redis.call('client', 'setname', 'x') | return redis.call('client', 'nope') | return redis.call('client')
return redis.call('config') | return redis.call('config', 'get', 'nothing') | return redis.call('object', 'encoding', 's')
return redis.call('blpop', 'none', 0) | return redis.call('brpoplpush', 'none', 'x', 0) | return redis.call('bzpopmin', 'none', 0)
return redis.call('xread', 'block', 0, 'streams', 'none', '$') | return redis.call('wait', 1, 0) | return redis.call('blmpop', 0, 1, 'none', 'left')
return redis.call('select', 5) | redis.call('select', 5) return redis.call('get', 's') | return redis.call('select', 99)
return redis.call('lrange', 'l', 0, -1) | return redis.call('hgetall', 'h') | return redis.call('type', 's') | return redis.call('exists', 's', 'l')
return redis.call('echo', 'a\0b') | return redis.call('echo', ('x'):rep(100000)) == ('x'):rep(100000) | return #redis.call('echo', ('x'):rep(200000))
return redis.call('get', 's').x | return redis.call('get', 'l') | return redis.pcall('get', 'l') | return redis.pcall('get', 'l').ignore_error_stats_update
return pcall(redis.call, 'get', 'l') | return {pcall(redis.call, 'get', 'l')} | return select(2, pcall(redis.call, 'get', 'l'))
return {pcall(redis.pcall, 'get', 'l')} | local ok, e = xpcall(function() return redis.call('get', 'l') end, function(e) return type(e) end) return e
return {pcall(error, {err='x'})} | return {pcall(error, 'x')} | return {pcall(error)} | return {pcall(error, nil)} | return {pcall(error, {})}
error() | error(nil) | error('x') | error('x', 0) | error('x', 2) | error({err='X y'}) | error({err='x'}) | error({}) | error(5) | error(true)
error({err='X y', ignore_error_stats_update=true}) | error(setmetatable({}, {__tostring=function() return 'x' end}))
error({err='X\r\ny'}) | error('a\0b') | error(redis.error_reply('X y')) | error({err=5}) | error({source='s', line=5, err='X y'})
assert(false) | assert(false, 'x') | assert(nil, {err='X y'}) | local x = nil + 1 | local x = {} .. 'a' | local x = #5 | local x = nil; x.y = 1
local x = 'a' < 1 | foo() | local t = {} t.x() | local t = {} t[nil] = 1 | local t = {} t[0/0] = 1 | redis.nope() | redis.nope = 1
return redis.sha1hex('') | return redis.sha1hex('a') | return redis.sha1hex() | return redis.sha1hex(1) | return redis.sha1hex('a', 'b') | return redis.sha1hex({})
return redis.log(redis.LOG_DEBUG, 'x') | return redis.log() | return redis.log(1) | return redis.log('a', 'b') | return redis.log(9, 'b') | return redis.log(-1, 'b')
return redis.log('2', 'x') | return redis.set_repl(redis.REPL_ALL) | return redis.set_repl() | return redis.set_repl(9) | return redis.set_repl('x') | return redis.set_repl(0)
return redis.replicate_commands() | return redis.breakpoint() | return redis.debug('x') | return redis.acl_check_cmd('get', 'x')
return redis.acl_check_cmd() | return redis.acl_check_cmd('nope') | return redis.acl_check_cmd({}) | return redis.register_function
return redis.REPL_NONE | return redis.REPL_AOF | return redis.REPL_SLAVE | return redis.REPL_REPLICA | return redis.REPL_ALL | return redis.REDIS_VERSION
return redis.REDIS_VERSION_NUM | return redis.SERVER_NAME | return redis.LOG_WARNING | return server.call('get', 's') | return server == redis
return redis.call('time')[1] == redis.call('time')[1] | redis.call('set', 'e', 1, 'px', 1) for i = 1, 200000 do end return redis.call('exists', 'e')
return redis.call('dbsize') | return redis.call('randomkey') ~= false | return redis.call('function', 'list') | return redis.call('script', 'exists', 'x')
return redis.call('publish', 'c', 'm') | return redis.call('spublish', 'c', 'm') | return redis.call('info', 'nothing')
return redis.call('command', 'count') > 100 | return redis.call('lolwut') ~= nil | return redis.call('shutdown') | return redis.call('debug', 'sleep', 0)
return redis.call('hello', 3) | return redis.call('reset') | return redis.call('quit') | return redis.call('monitor') | return redis.call('slowlog', 'len')
"""

SANDBOX = r"""
x = 1 | _G.x = 1 | rawset(_G, 'x', 1) | function f() end | return x | return _G.x | return rawget(_G, 'x') | redis.call = 1 | redis.x = 1 | rawset(redis, 'x', 1)
string.x = 1 | math.pi = 3 | table.insert(redis, 1) | table.insert(_G, 1) | setmetatable(_G, {}) | setmetatable(redis, {}) | return getmetatable(redis)
getmetatable('').__index = 1 | return getmetatable('').__index == string | getmetatable(_G).x = 1 | return type(getmetatable(_G).__index) | setmetatable('', {})
return type(getmetatable('')) | cjson.x = 1 | cjson.encode = nil | cmsgpack.pack = 1 | bit.x = 1 | struct.x = 1 | os.x = 1 | coroutine.x = 1 | KEYS = 1 | ARGV = nil
KEYS[1] = 5 return KEYS[1] | ARGV.x = 1 return ARGV.x | return KEYS == nil | return tostring(nil) | return type(print) | return type(io) | return type(require)
return type(debug) | return type(package) | return type(dofile) | return type(loadfile) | return type(newproxy) | return type(setfenv) | return type(getfenv) | return type(module)
return type(os.execute) | return type(os.clock()) | return os.time | return _VERSION | return type(_G) | return _G._G == _G | return type(next(_G)) | return rawequal(_G, _G._G)
local n = 0 for k in pairs(redis) do n = n + 1 end return n | local n = 0 for k in pairs(_G) do n = n + 1 end return n | local n = 0 for k in next, string do n = n + 1 end return n
for k, v in pairs(math) do if k == 'pi' then return tostring(v) end end | local t = {} for k in pairs(cjson) do t[#t+1] = k end table.sort(t) return t
return #redis | return #_G | return table.concat(redis) | return {unpack(redis)} | table.sort(redis) return 1 | return table.maxn(redis) | return table.getn(redis) | return table.remove(redis)
local n = 0 table.foreach(redis, function() n = n + 1 end) return n | table.setn(redis, 1) | return {ipairs(redis)} ~= nil | for i, v in ipairs(redis) do return i end
return loadstring('return 5')() | return loadstring('x =') | return {loadstring('x =')} | return loadstring('return 5', 'name')() | return select(2, loadstring('x =', '@name')) | return select(2, loadstring('x =', 'na\nme'))
return select(2, loadstring('x =', '=name')) | loadstring('error(1)')() | loadstring('error("a")', '@n')() | loadstring('y = 1')() | return loadstring('return KEYS')() == KEYS | return loadstring(5) | return loadstring() | return loadstring({})
return load(function() end) ~= nil | return {load(function() error('x') end)} | local d return load(function() if not d then d = 1 return 'return 6' end end)() | return load('return 1') | return {load(function() return {} end)}
return loadstring(string.dump(function() end)) | return {pcall(string.dump, redis.call)} | return {pcall(loadstring, nil)} | return loadstring('\27Lua') | return select(2, loadstring('\27'))
return collectgarbage('count') > 0 | return collectgarbage('step') ~= nil | return collectgarbage('nope') | return collectgarbage() | return gcinfo() > 0 | return collectgarbage('setpause', 100) | return collectgarbage('setpause', 200)
return unpack({1, 2, 3}) | return {unpack({1, 2, 3})} | return {unpack({1, 2, 3}, 2)} | return {unpack({1, 2, 3}, 2, 5)} | return {unpack({}, 1, 0)} | unpack({}, 1, 1e8) | unpack() | unpack({}, 'a') | return #{unpack({}, 1, 7000)}
unpack({}, -2147483648, 2147483647) | unpack({}, 0, 2147483647) | return {select('#', unpack({}, 1, 3))} | return {select(-1, 1, 2)} | select(0) | select('x')
return ('x'):rep(3) | return ('x'):rep(0) | return ('x'):rep(-1) | return (''):rep(100) | return ('ab'):rep(2.9) | return string.rep() | return ('x'):rep('3') | return ('x'):rep('a') | return (5):rep(2) | return string.rep(5, 2)
return ('hello'):find('l') | return {('hello'):find('l+')} | return {('hello'):match('(h)(.)')} | return ('hello'):gsub('l', 'L') | return {('hello'):gsub('l', {l='x'})} | return ('hello'):gsub('.', function(c) return c:upper() end)
return ('a.b'):find('.', 1, true) | return ('x'):find('[') | return ('x'):find('%') | return ('x'):gsub('(', '') | local t = {} for w in ('a b c'):gmatch('%a') do t[#t+1] = w end return t | return string.format('%d %s %5.2f %q %x', 5, 'a', 1.5, 'q"', 255)
return string.format('%d', 'x') | return string.format('%y', 1) | return string.format('%s') | return ('x'):byte() | return string.char(65, 66) | return string.char(256) | return ('abc'):reverse() | return ('abc'):sub(-2) | return ('abc'):upper()
return math.floor(1.5) | return math.random(0) | return math.random(1, 0) | return math.random(1, 2, 3) | math.randomseed(5) return {math.random(100), math.random(100), math.random(5, 10)} | math.randomseed(5) return tostring(math.random())
math.randomseed(-1) return {math.random(100), math.random(-5, 5)} | math.randomseed(1e10) return math.random(1000) | math.randomseed() | math.randomseed('x') | math.randomseed(0) return {math.random(2147483647), math.random(1, 2147483647)}
return tostring(1e15) | return tostring(1e14) | return tostring(0.1) | return tostring(-0.0) | return tostring(1/0) | return tostring(2^53) | return 5 .. '' | return 1e100 .. '' | return tonumber('0x10') | return tonumber('10', 2) | return tonumber('z', 36) | return tonumber('1e1') | return tonumber('') | return tonumber('x')
local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) return {co(1), co(5)} | local co = coroutine.create(function() error('x') end) return {coroutine.resume(co)} | local co = coroutine.create(function() return redis.call('get', 's') end) return {coroutine.resume(co)}
coroutine.wrap(function() error('x') end)() | coroutine.wrap(function() return redis.call('nope') end)() | return coroutine.status(coroutine.create(function() end)) | return coroutine.running() | coroutine.yield(1) | pcall(coroutine.yield, 1)
local function f() return f() end return 1 | local function f(n) return n == 0 and 0 or 1 + f(n - 1) end return f(100) | local function f() return 1 + f() end return f() | local function f() return pcall(f) end return f() | local t = setmetatable({}, {__index=function(t, k) return t[k] end}) return t.x
local t = setmetatable({}, {__eq=function() return true end}) return t == setmetatable({}, getmetatable(t)) | return setmetatable({}, {__metatable='x'}) and getmetatable(setmetatable({}, {__metatable='x'})) | setmetatable(setmetatable({}, {__metatable=1}), {})
return setmetatable(5, {}) | return setmetatable({}, 5) | return getmetatable() | return rawget(5, 1) | return rawset({}, nil, 1) | return next({}) | return {next({5})} | return next({}, 'x') | return next(5) | return pairs(5) | return pairs() | return rawequal(1) | return type() | return tostring()
local t = {5, 4, 3} table.sort(t) return t | local t = {3, 1} table.sort(t, function() return true end) return 1 | table.sort({1, 'a'}) | table.insert({}, 1, 2, 3) | table.insert({}) | return table.concat({1, 2, {}}) | return table.concat({1, 2}, ',') | return table.concat({'a'}, ',', 1, 2) | local t = {1} table.remove(t) return #t
local ok, e = pcall(function() local x = nil + 1 end) return e | local ok, e = pcall(function() error({code=5}) end) return e.code | return {pcall()} | return pcall(5) | return {pcall(5)} | return xpcall(function() return 5 end, 1) | return {xpcall(function() error('x') end, function(e) return e .. '!' end)} | return xpcall()
return {pcall(pcall, error, 'x')} | return {pcall(function(...) return ... end, 1, 2, 3)} | return __redis__err__handler('x').err | return __server__err__handler({err='x'}).err | __redis__err__handler = 1 | return type(__redis__err__handler(nil))
return #ARGV + #KEYS | goto x | return 1,2 | return (1 | ) | x = | local function | return 'abc | --[[ | return [[a]] | return [==[a]==] | #!lua | -- comment | return 1 -- x | return '\65\066\n' | return "\x41" | return 0x10 | return 1e | return 08 | return ... | return {...}
"""

JSON_TEXTS = r"""
1 | -1 | 1.5 | 1e5 | 1E5 | 1e+5 | 0 | -0 | 00 | 01 | 0x10 | 0xg | +1 | .5 | 1. | - | -a | inf | -inf | infinity | Infinity | nan | NaN | -nan | nan(1) | 1e999 | 1e-999
"a" | "" | "a | "\u0041" | "\u00e9" | "\u20ac" | "\ud83d\ude00" | "\ud83d" | "\ude00" | "\ud83dx" | "\u00" | "\u00zz" | "\x" | "\n\t\r\b\f\/\\\"" | "\u0000"
true | false | null | tru | True | nul | TRUE | [] | {} | [1] | [1,2] | [1,] | [,1] | [1 2] | [ | ] | {"a":1} | {"a":1,} | {"a"} | {a:1} | {"a" 1} | {"a":} | {1:2} | {"a":1 "b":2} | { | } | {,}
[[[[]]]] | {"a":{"b":{"c":[]}}} | [null] | [null,1] | {"a":null} | 1 2 | [] [] | [1]x | , | : | x | "a" "b" | [1,2,3,{"a":[true,false,null]}] | {"1":2} | {"":1} | {"a":1,"a":2} |   | [   1   ,   2   ] | "\"
"""

JSON_VALUES = r"""
nil | true | false | 1 | 1.5 | -1 | 0.1 | 1e15 | 1e14 | 1e100 | 123456789012345 | 2^53 | -0.0 | 1/3 | 0/0 | 1/0 | -1/0 | '' | 'a' | 'a"b\\c/d' | '\0\1\31\127\128\255' | '\b\f\n\r\t' | {} | {1} | {1, 2, 3} | {1, nil, 3}
{[1]=1, [2]=2, [4]=4} | {[1]=1, [20]=2} | {[1000]=1} | {[0]=1} | {[-1]=1} | {[1.5]=1} | {a=1} | {a={}} | {{}} | {{{}}} | {a=cjson.null} | cjson.null | {cjson.null} | {[true]=1} | {[{}]=1} | function() end | coroutine.create(function() end) | redis.call
{[1e10]=1} | {[2^31]=1} | {[2147483647]=1} | {1, 2, a=3} | {['1']=1} | {[1]=1, ['1']=2} | redis.error_reply('x') | {[10]=1} | {[11]=1} | {1, [11]=2} | {1, 2, 3, 4, 5, 6, [13]=1} | 'é' | ('x'):rep(1000)
"""

JSON_SETTINGS = r"""
cjson.encode_max_depth(2) return cjson.encode({{}}) | cjson.encode_max_depth(1) return cjson.encode({{}}) | return cjson.encode_max_depth() | cjson.encode_max_depth(0) | cjson.encode_max_depth('x') | cjson.encode_max_depth(1, 2) | cjson.encode_max_depth(1.5) return cjson.encode_max_depth()
cjson.decode_max_depth(2) return cjson.decode('[[]]') ~= nil | cjson.decode_max_depth(1) return cjson.decode('[[]]') | return cjson.decode_max_depth() | cjson.decode_max_depth(-1) | cjson.decode_max_depth(1) return cjson.decode(' [ {"a":1}]')
cjson.encode_number_precision(3) return cjson.encode(1/3) | return cjson.encode_number_precision() | cjson.encode_number_precision(0) | cjson.encode_number_precision(15) | cjson.encode_number_precision(1) return cjson.encode({1.5, 2.5, 10, 100, 0.05})
return {cjson.encode_sparse_array()} | cjson.encode_sparse_array(true) return cjson.encode({[1000]=1}) | cjson.encode_sparse_array('on', 1, 1) return cjson.encode({[3]=1}) | cjson.encode_sparse_array('x') | cjson.encode_sparse_array(true, -1) | cjson.encode_sparse_array(1, 2, 3, 4) | return {cjson.encode_sparse_array(true, 2, 3)}
cjson.encode_sparse_array(false, 0) return cjson.encode({[1000]=1}) | cjson.encode_sparse_array(nil, 5, 5) return cjson.encode({[7]=1}) | return {cjson.encode_sparse_array('off')} | cjson.encode_sparse_array({})
cjson.encode_invalid_numbers(true) return cjson.encode({0/0, 1/0, -1/0}) | cjson.encode_invalid_numbers('null') return cjson.encode({0/0, 1/0}) | cjson.encode_invalid_numbers('x') | return cjson.encode_invalid_numbers() | return cjson.encode_invalid_numbers('null') | return cjson.encode_invalid_numbers('on')
cjson.decode_invalid_numbers(false) return cjson.decode('0x10') | cjson.decode_invalid_numbers(false) return cjson.decode('01') | cjson.decode_invalid_numbers(false) return cjson.decode('inf') | cjson.decode_invalid_numbers(false) return cjson.decode('-nan') | cjson.decode_invalid_numbers(false) return cjson.decode('-') | return cjson.decode_invalid_numbers()
cjson.decode_invalid_numbers(false) return cjson.decode('[1.5,-2,0,1e5]')[2] | cjson.decode_invalid_numbers('x') | cjson.encode_keep_buffer(false) return cjson.encode({1}) | return cjson.encode_keep_buffer() | cjson.encode_keep_buffer('x') | cjson.encode_keep_buffer(1)
local c = cjson.new() c.encode_max_depth(1) return cjson.encode({{}}) | local c = cjson.new() c.encode_max_depth(1) return c.encode({{}}) | return cjson.new() ~= cjson | return type(cjson.null) | return cjson.null == cjson.decode('null') | return cjson._NAME .. cjson._VERSION
cjson.encode() | cjson.encode(1, 2) | cjson.decode() | cjson.decode(1) | cjson.decode({}) | cjson.decode('1', 2) | return cjson.decode(5) | cjson.decode('\0\0') | cjson.decode('a\0') | return cjson.decode('1\0x') | cjson.decode('"a\0b"') | cjson.decode('')
local t = {} t[1] = t return cjson.encode(t) | return cjson.decode(('['):rep(1000) .. (']'):rep(1000)) ~= nil | return cjson.decode(('['):rep(1001) .. (']'):rep(1001)) | return cjson.decode(('{"a":'):rep(2000)) | cjson.decode_max_depth(1100) return cjson.decode(('['):rep(1100)) ~= 1
local t = {} for i = 1, 999 do t = {t} end return #cjson.encode(t) | local t = {} for i = 1, 1000 do t = {t} end return #cjson.encode(t) | return cjson.encode(setmetatable({}, {__index=function() return 1 end})) | return cjson.encode({KEYS, ARGV})
"""

PACKED = r"""
return cmsgpack.pack() | return cmsgpack.pack(nil) | return cmsgpack.pack(1, 'a', {}) | return cmsgpack.unpack('') | return cmsgpack.unpack() | return cmsgpack.unpack({}) | return cmsgpack.unpack(5) | return {cmsgpack.unpack('\1\2\3')} | return {cmsgpack.unpack_one('\1\2\3')} | return {cmsgpack.unpack_one('\1\2\3', 2)} | return {cmsgpack.unpack_one('\1', 1)}
return {cmsgpack.unpack_one('\1', 2)} | return {cmsgpack.unpack_one('\1', -1)} | return {cmsgpack.unpack_limit('\1\2\3', 2)} | return {cmsgpack.unpack_limit('\1\2\3', 0)} | return {cmsgpack.unpack_limit('\1\2\3', 0, 1)} | return {cmsgpack.unpack_limit('\1\2\3', -1)} | return {cmsgpack.unpack_limit('\1\2\3', 5, 1)} | cmsgpack.unpack_limit('x') | cmsgpack.unpack_one('x', 'y')
local t = {} t[1] = t return cmsgpack.pack(t) | local t = {} for i = 1, 20 do t = {t} end return cmsgpack.pack(t) | local t = {} t.x = t return cmsgpack.pack(t) | return cmsgpack.unpack('\193') | return cmsgpack.unpack('\217') | return cmsgpack.unpack('\221\255\255\255\255') | return cmsgpack.unpack('\223\255\255\255\255') | return cmsgpack.unpack('\129\192\1') | return cmsgpack.unpack('\129\203\127\248\0\0\0\0\0\0\1')
return #cmsgpack.pack(('x'):rep(31)) | return #cmsgpack.pack(('x'):rep(32)) | return #cmsgpack.pack(('x'):rep(255)) | return #cmsgpack.pack(('x'):rep(256)) | return #cmsgpack.pack(('x'):rep(65535)) | return #cmsgpack.pack(('x'):rep(65536)) | return cmsgpack.unpack(('\145'):rep(500) .. '\1') ~= nil | return select('#', cmsgpack.unpack(('\1'):rep(5000))) | return select('#', cmsgpack.unpack(('\1'):rep(100000)))
return cmsgpack.pack({1, 2, nil, 4}) | return cmsgpack.pack({[1]=1, [3]=3}) | return cmsgpack.pack({[0]=1}) | return cmsgpack.pack({[-1]=1}) | return cmsgpack.pack({[1.5]=1}) | return cmsgpack.pack({a=1}) | return cmsgpack.pack(function() end) | return cmsgpack.pack(redis.call) | return cmsgpack.pack(cjson.null) | return cmsgpack.pack(true, false) | return cmsgpack._NAME .. cmsgpack._VERSION .. cmsgpack._DESCRIPTION .. cmsgpack._COPYRIGHT
return struct.pack() | return struct.pack('') | return struct.pack('i') | return struct.pack('ii', 1) | return struct.pack('z', 1) | return struct.pack('i', 'x') | return struct.pack('i33', 1) | return struct.pack('i99999999999', 1) | return struct.pack('!3i', 1) | return struct.pack('!16bd', 1, 2) | return struct.pack('!bd', 1, 2) | return struct.pack('!4bd', 1, 2) | return struct.pack('!0i', 1) | return struct.pack('c5', 'abc') | return struct.pack('c0', 'abc') | return struct.pack('c2', 'abc') | return struct.pack('s', 'abc') | return struct.pack('c', 'abc')
return struct.pack('>I4', 1) | return struct.pack('<I4', 1) | return struct.pack('>i8', -2) | return struct.pack('>I16', 5) | return struct.pack('<i16', -5) | return struct.pack('i0', 5) | return struct.pack('B', 256) | return struct.pack('b', -129) | return struct.pack('H', 65536) | return struct.pack('L', 2^63) | return struct.pack('L', 2^64) | return struct.pack('l', -2^63) | return struct.pack('l', 0/0) | return struct.pack('L', 1/0) | return struct.pack('f', 1.5) | return struct.pack('>d', 1.5) | return struct.pack('f', 1e300) | return struct.pack('x x') | return struct.pack('i\0i', 1)
return {struct.unpack('>I4', '\0\0\0\1')} | return {struct.unpack('i', 'x')} | return {struct.unpack('bb', '\255\1')} | return {struct.unpack('BB', '\255\1')} | return {struct.unpack('bb', 'abc', 2)} | return {struct.unpack('b', 'abc', 4)} | return {struct.unpack('b', 'abc', 0)} | return {struct.unpack('b', 'abc', -1)} | return {struct.unpack('', 'abc')} | return {struct.unpack('s', 'abc\0d')} | return {struct.unpack('s', 'abc')} | return {struct.unpack('bc0', '\3abcd')} | return {struct.unpack('bc0', '\9abcd')} | return {struct.unpack('c0', 'abcd')} | return {struct.unpack('c2c', 'abcd')} | return {struct.unpack('i9', ('\255'):rep(9))} | return {struct.unpack('>i16', ('\1'):rep(16))} | return {struct.unpack('i0', '')} | return {struct.unpack('z', '')}
return struct.unpack() | return struct.unpack('b') | return {struct.unpack('!8bd', ('\1'):rep(16))} | return {struct.unpack('xb', 'ab')} | return struct.size('i') | return struct.size('!8bd') | return struct.size('s') | return struct.size('c0') | return struct.size('c') | return struct.size('z') | return struct.size('+') | return struct.size('c99999999999') | return struct.size('c2147483647c2147483647') | return struct.size() | return struct.size('> < ! !2 bh') | return {struct.unpack('c2147483647', 'x')} | return {struct.unpack(('b'):rep(9000), ('x'):rep(9000))}
return bit.tobit(2^32) | return bit.tobit(-1) | return bit.tobit(1.5) | return bit.tobit(2.5) | return bit.tobit(2^53) | return bit.tobit(1e300) | return bit.tobit(0/0) | return bit.tobit() | return bit.tobit('x') | return bit.tobit('0xff') | return bit.bnot(0) | return bit.band(255, 15, 7) | return bit.band() | return bit.bor(1, 2) | return bit.bxor(5, 3) | return bit.lshift(1, 31) | return bit.lshift(1, 32) | return bit.lshift(1, -1) | return bit.rshift(-1, 28) | return bit.arshift(-256, 4) | return bit.rol(0x12345678, 8) | return bit.ror(0x12345678, 8) | return bit.bswap(0x12345678)
return bit.tohex(255) | return bit.tohex(255, 4) | return bit.tohex(255, -4) | return bit.tohex(255, 0) | return bit.tohex(255, 100) | return bit.tohex(255, -100) | return bit.tohex(255, -2147483648) | return bit.tohex(-1) | return bit.tohex() | return bit.lshift(1) | return bit.lshift() | return bit.band(1, {}) | return bit.tohex(255, 'x') | return bit.tohex(255, nil)
"""

# What calls the command in its arguments.
CALLERS = [
    "return redis.call(unpack(ARGV))", "return redis.pcall(unpack(ARGV))", "redis.setresp(3) return redis.call(unpack(ARGV))",
    "redis.setresp(3) return redis.pcall(unpack(ARGV))", "local reply = redis.call(unpack(ARGV)) return reply",
    "#!lua\nreturn redis.call(unpack(ARGV))", "#!lua flags=no-writes\nreturn redis.pcall(unpack(ARGV))",
]  # fmt: skip


# What is not called by scripts: what is for the test itself, random picks, what is compared with those, and replies that
# are maps, whose order Lua decides.
PLAIN = {b"HELLO", b"CONFIG", b"DEBUG", b"SPOP", b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER", b"SMEMBERS", b"HGETALL", b"ZRANGE",
         b"DEL", b"LCS", b"XINFO", b"XREAD", b"XREADGROUP"}


def calling(chooser, command):
    """A script that calls a command, in place of it."""
    if command[0].upper() in PLAIN or chooser.chance(0.2):
        return command
    return [chooser.one(b"EVAL", b"EVAL", b"EVAL", b"EVAL_RO"), chooser.one(*CALLERS).encode(), b"0", *command]


SHEBANGS = [
    "#!lua\nreturn 1", "#!lua", "#!lua ", "#!lua\n", "#!Lua\nreturn 1", "#!lua x\nreturn 1",
    "#!lua flags=\nreturn 1", "#!lua flags=no-writes\nreturn redis.call('set', 'k', 1)", "#!lua flags=no-writes\nreturn redis.call('get', 's')",
    "#!lua flags=no-writes,allow-oom\nreturn 1", "#!lua flags=no-writes,\nreturn 1", "#!lua flags=,\nreturn 1", "#!lua flags=NO-WRITES\nreturn 1",
    "#!lua flags=x\nreturn 1", "#!lua flags='no-writes'\nreturn 1", "#!lua \"flags=no-writes\"\nreturn 1", "#!lua 'flags\nreturn 1",
    "#!lua flags=no-writes flags=allow-oom\nreturn 1", "#!lua name=x\nreturn 1", "#!lua\nerror('x')", "#!lua\n\nerror('x')", "#!lua flags=no-cluster\nreturn 1",
    "#!lua flags=no-writes\nreturn redis.call('publish', 'c', 'm')", "#!lua flags=allow-cross-slot-keys,allow-stale\nreturn 1", "#!lua\0\nreturn 1",
    "#!lua flags=no-writes\nreturn redis.pcall('set', 'k', 1)", "#!lua\rreturn 1\n", "#!lua\t\nreturn 1",
]  # fmt: skip


def split(text):
    """The scripts of a table: one between two bars, or on a line."""
    return [script.strip() for line in text.strip().splitlines() for script in line.split(" | ") if script.strip()]


def lua_text(raw):
    """Bytes as a Lua string."""
    return "'" + "".join(f"\\{b:03d}" if not 32 < b < 127 or chr(b) in "'\\|" else chr(b) for b in raw) + "'"


def fixed_scripts():
    """All scripts of the tables."""
    for table in (VALUES, RESP3, CALLS, SANDBOX, JSON_SETTINGS, PACKED):
        yield from split(table)
    yield from SHEBANGS
    show = "local function s(v) if v == cjson.null then return 'null' elseif type(v) ~= 'table' then return type(v) .. ':' .. tostring(v) " \
        "end local t = {} for k, x in pairs(v) do t[#t + 1] = s(k) .. '=' .. s(x) end table.sort(t) return '{' .. table.concat(t, ' ') .. '}' end "
    for text in split(JSON_TEXTS):
        quoted = lua_text(text.encode())
        yield show + f"return s(cjson.decode({quoted}))"
        yield f"return {{pcall(cjson.decode, {quoted})}}"
    for value in split(JSON_VALUES):
        yield f"return cjson.encode({value})"
        yield f"return {{pcall(cjson.encode, {{a={value}}})}}"
        yield f"return cmsgpack.pack({value})"
        yield show + f"return s(cmsgpack.unpack(cmsgpack.pack({value})))"
        yield f"return struct.pack('bBhHlLTiIi3f', unpack({{{value}, {value}, {value}, {value}, {value}, {value}, {value}, {value}, {value}, {value}, {value}}}, 1, 11))"
        yield show + f"return s(cjson.decode(cjson.encode({{{value}}})))"


NUMBERS = [0, 1, -1, 31, 32, -32, -33, 127, 128, 255, 256, -128, -129, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32, 2**53,
           -(2**53), 2**62, 2**63, -(2**63), 0.5, 1.5, -2.25, 1e15, 1e16, 1e100, 1e-7, 0.1, 3.4028235e38, 1e39]  # fmt: skip


def random_value(rng, depth=0):
    """The text of a Lua value."""
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind <= 1:
        return repr(rng.choice(NUMBERS)) if rng.random() < 0.5 else repr(rng.uniform(-1, 1) * 10 ** rng.randrange(-10, 20))
    if kind == 2:
        return lua_text(bytes(rng.randrange(256) for _ in range(rng.choice([0, 1, 3, 10, 31, 32, 40]))))
    if kind == 3:
        return rng.choice(["true", "false", "nil", "cjson.null"])
    if kind <= 5:
        return lua_text(rng.choice([b"a", b"key", b'"', b"\xc3\xa9", b"\n", b"/"]))
    items = [random_value(rng, depth + 1) for _ in range(rng.randrange(5))]
    if kind <= 7:
        return "{" + ", ".join(items) + "}"
    # One field alone: the order of more is each server's own.
    return "{[" + rng.choice([repr(rng.randrange(-2, 30)), lua_text(b"k"), "1.5"]) + "]=" + rng.choice(items or ["1"]) + "}"


def random_json(rng, depth=0):
    kind = rng.randrange(8 if depth < 4 else 5)
    if kind <= 1:
        return str(rng.choice(NUMBERS))
    if kind == 2:
        return rng.choice(["true", "false", "null", '"a"', '"\\u20ac\\n"', '"\\ud83d\\ude00"', '""', "nan", "-inf", "0x1F"])
    if kind <= 4:
        return '"' + "".join(rng.choice(["a", "\\n", "\\/", "\\u0001", " ", "é"]) for _ in range(rng.randrange(4))) + '"'
    items = [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind <= 6:
        return "[" + ",".join(items) + "]"
    return "{" + ",".join(f'"k{i}":{item}' for i, item in enumerate(items)) + "}"


SHOW = "local function s(v) if v == cjson.null then return 'null' elseif type(v) == 'string' then return string.format('%q', v) " \
    "elseif type(v) ~= 'table' then return tostring(v) end local t = {} for k, x in pairs(v) do t[#t + 1] = s(k) .. '=' .. s(x) end " \
    "table.sort(t) return '{' .. table.concat(t, ' ') .. '}' end "


def mangled(rng, raw):
    """Bytes of which some are wrong."""
    raw = bytearray(raw)
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(raw) + 1)
        if rng.random() < 0.5:
            raw[at:at] = bytes([rng.randrange(256)])
        else:
            del raw[at : at + 1]
    return bytes(raw)


def random_script(rng):
    kind = rng.randrange(8)
    if kind == 0:
        return f"return cjson.encode({random_value(rng)})"
    if kind == 1:
        return SHOW + f"return s(cjson.decode({lua_text(mangled(rng, random_json(rng).encode()))}))"
    if kind == 2:
        return f"return cmsgpack.pack({random_value(rng)})"
    if kind == 3:
        raw = bytes(rng.choice([rng.randrange(256), 0x81, 0x92, 0xA1, 1, 0xC0]) for _ in range(rng.randrange(1, 12)))
        return SHOW + f"local r = {{cmsgpack.unpack({lua_text(raw)})}} return s(r)"
    if kind == 4:
        options = "".join(rng.choice("bBhHlLTiIfdxs<>! 248c0") for _ in range(rng.randrange(1, 8)))
        values = ", ".join(random_value(rng, 9) for _ in range(8))
        return f"return struct.pack('{options}', {values})"
    if kind == 5:
        options = "".join(rng.choice("bBhHlLTiIfdxs<>! 248c0") for _ in range(rng.randrange(1, 8)))
        raw = bytes(rng.choice([rng.randrange(256), 0, 1]) for _ in range(rng.randrange(24)))
        return SHOW + f"return s({{struct.unpack('{options}', {lua_text(raw)})}})"
    if kind == 6:
        name = rng.choice(["tobit", "bnot", "band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror", "bswap", "tohex"])
        return f"return bit.{name}({', '.join(repr(rng.choice(NUMBERS)) for _ in range(rng.randrange(4)))})"
    return f"return {random_value(rng)}"


def masked(reply):
    for pattern, by in MASKED:
        reply = pattern.sub(by, reply)
    return reply


def prepare(connection):
    for line in ("FLUSHALL", "SET s text", "RPUSH l a b c", "HSET h f v", "SADD one a", "ZADD z 1.5 a"):
        connection.call(*line.split())


def compare(left, right, scripts, protocols=(2, 3)):
    """Runs scripts on two servers. Returns the differences as texts."""
    found = []
    for protocol in protocols:
        a, b = left.connect(protocol=protocol), right.connect(protocol=protocol)
        with a, b:
            prepare(a), prepare(b)
            for script in scripts:
                replies = []
                for connection in (a, b):
                    # What a script sets of cjson would otherwise last, on Valkey.
                    connection.call("SCRIPT", "FLUSH")
                    connection.send("EVAL", script.encode(), 0)
                    replies.append(masked(repr(connection.read())))
                if replies[0] != replies[1]:
                    found.append(f"RESP{protocol} {script}\n  {replies[0][:300]}\n  {replies[1][:300]}")
    return found


class Running:
    """A server that somebody else started."""

    def __init__(self, port):
        self.port = port

    def connect(self, **options):
        return harness.Connection(("127.0.0.1", self.port), **options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", type=int, nargs=2, required=True)
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    scripts = [random_script(rng) for _ in range(options.random)] or list(fixed_scripts())
    found = compare(*map(Running, options.ports), scripts)
    print(*found, sep="\n")
    print(f"{len(scripts)} scripts, {len(found)} differences")


if __name__ == "__main__":
    main()
