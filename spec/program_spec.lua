-- The program `nnlua` against what the manual of lua 5.4 says of `lua` (section 7, and its source's
-- behaviour where the manual is silent). The name before a message is the program's own.

local core = require "nnlua.core"
local files = require "spec.support.files"
local run = require "spec.support.run"
local scratch = require "spec.support.scratch"

local name = run.nnlua:gsub("%p", "%%%0")

--- The text without the interpreter's path.
local function plain(text) return (text:gsub("[^%s:]*" .. name, "nnlua")) end

local folder

setup(function() folder = scratch.make() end)

teardown(function() scratch.remove(folder) end)

local function script(text) return files.write(folder .. "/script.lua", text) end

describe("nnlua", function()
  it("runs a string", function()
    local out, err, code = run {"-e", "print(1 + 1)"}
    assert.are.same({"2\n", "", 0}, {out, err, code})
  end)

  it("takes the string in the same word", function()
    assert.are.equal("5\n", (run {"-eprint(5)"}))
  end)

  it("gives a script its arguments, and arg with what stands before it", function()
    local path = script "print(arg[0], #arg, arg[1], arg[2], arg[-1], arg[-2], ...)"
    local out = run {"-W", path, "a", "b c"}
    assert.are.equal(path .. "\t2\ta\tb c\t-W\tnnlua\ta\tb c\n", plain(out))
  end)

  it("skips a first line that begins with #", function()
    assert.are.equal("ok\n", (run {script "#!/usr/bin/env nnlua\nprint 'ok'"}))
  end)

  it("reads a script from standard input", function()
    assert.are.equal("hello\n", (run {stdin = "print 'hello'"}))
    assert.are.equal("x\ty\n", (run {"-", "x", "y", stdin = "print(...)"}))
  end)

  it("stops at --", function()
    local out, err, code = run {"--", "-no-such-file"}
    assert.are.equal("", out)
    assert.are.equal("nnlua: cannot open -no-such-file\n",
      (plain(err):gsub("file: .*\n", "file\n")))
    assert.are.equal(1, code)
  end)

  it("runs options in order, before the script", function()
    local path = script "print(x)"
    assert.are.equal("2\n", (run {"-e", "x = 1", "-e", "x = x + 1", path}))
  end)

  it("requires a library into a global", function()
    assert.are.equal("table\n", (run {"-l", "nnlua.err", "-e", "print(type(_G['nnlua.err']))"}))
    assert.are.equal("table\n", (run {"-l", "e=nnlua.err", "-e", "print(type(e))"}))
    local _, err, code = run {"-l", "no_such_module"}
    assert.are.equal(1, code)
    assert.truthy(err:find("module 'no_such_module' not found", 1, true))
  end)

  it("reports an error with a traceback on standard error, and status 1", function()
    local path = script "local function f() error 'boom' end\nf()"
    local out, err, code = run {path}
    assert.are.equal("", out)
    assert.are.equal(1, code)
    assert.are.equal(([[
nnlua: @:1: boom
stack traceback:
	[C]: in function 'error'
	@:1: in local 'f'
	@:2: in main chunk
	[C]: in ?
]]):gsub("@", path), (plain(err):gsub("in upvalue 'f'", "in local 'f'")))
  end)

  it("shows error values that are no strings", function()
    local _, err = run {"-e", "error(setmetatable({}, {__tostring = function() return 'me' end}))"}
    assert.are.equal("nnlua: me\n", plain(err))
    _, err = run {"-e", "error {}"}
    assert.are.equal("nnlua: (error object is a table value)", plain(err):match "[^\n]*")
  end)

  it("reports what does not compile without a traceback", function()
    local _, err, code = run {"-e", "x ="}
    assert.are.equal("nnlua: (command line):1: unexpected symbol near <eof>\n", plain(err))
    assert.are.equal(1, code)
  end)

  it("exits with the script's status", function()
    assert.are.equal(7, (select(3, run {"-e", "os.exit(7)"})))
    assert.are.equal(0, (select(3, run {"-e", "os.exit(true, true)"})))
    assert.are.equal(1, (select(3, run {"-e", "os.exit(false)"})))
  end)

  it("closes the state at the end", function()
    local out = run {"-e", "setmetatable({}, {__gc = function() print 'collected' end})"}
    assert.are.equal("collected\n", out)
  end)

  it("rejects unknown options with the usage", function()
    for _, words in ipairs {{"-x"}, {"-vv"}, {"-e"}, {"-l"}, {"--help"}, {"-e", "-i"}} do
      local out, err, code = run(words)
      assert.are.equal("", out)
      assert.truthy(err:find("usage: ", 1, true))
      assert.are.equal(1, code)
    end
    local _, err = run {"-x"}
    assert.are.equal("nnlua: unrecognized option '-x'", plain(err):match "[^\n]*")
    _, err = run {"-e"}
    assert.are.equal("nnlua: '-e' needs argument", plain(err):match "[^\n]*")
  end)

  it("shows its version and that of Lua", function()
    local out, err, code = run {"-v"}
    assert.truthy(out:match "^nnlua %d+%.%d+%.%d+, Lua 5%.4%.%d+, kernels %w+, products .*\n$")
    assert.are.same({"", 0}, {err, code})
  end)

  it("reads LUA_INIT, not with -E", function()
    local init = "LUA_INIT='print [[init]]'"
    assert.are.equal("init\nscript\n", (run {"-e", "print 'script'", env = init}))
    assert.are.equal("script\n", (run {"-E", "-e", "print 'script'", env = init}))
    local path = script "print 'file'"
    assert.are.equal("file\n", (run {"-e", "", env = "LUA_INIT=@" .. path}))
    local out, err, code = run {"-e", "print 'script'", env = "LUA_INIT='error([[no]], 0)'"}
    assert.are.same({"", 1}, {out, code})
    assert.are.equal("nnlua: no", plain(err):match "[^\n]*")
    assert.are.equal("five\n", (run {"-e", "", env = "LUA_INIT=x= LUA_INIT_5_4='print [[five]]'"}))
  end)

  it("ignores the search paths of the environment with -E", function()
    local shown = {"-e", "print(package.path)", env = "LUA_PATH=here"}
    assert.are.equal("here\n", (run(shown)))
    table.insert(shown, 1, "-E")
    assert.are_not.equal("here\n", (run(shown)))
  end)

  it("keeps warnings for -W", function()
    local _, err = run {"-e", "warn 'careful'"}
    assert.are.equal("", err)
    _, err = run {"-W", "-e", "warn('care', 'ful') warn '@off' warn 'not' warn '@on' warn 'end'"}
    assert.are.equal("Lua warning: careful\nLua warning: end\n", err)
  end)

  it("reads, evaluates and prints with -i", function()
    local lines = "1 + 1\nfor i = 1, 2 do\nprint(i)\nend\nlocal x = 2\nerror 'oh'\n'a', nil\n"
    local out, err, code = run {"-i", stdin = lines, env = "HOME=/nowhere"}
    out = out:gsub(">+ ", "")
    assert.truthy(out:find("\n2\n1\n2\na\tnil\n\n", 1, true))
    assert.truthy(err:find("stdin:1: oh", 1, true))
    assert.are.equal(0, code)
  end)

  it("has nn in a dialogue only", function()
    assert.are.equal("nil\n", (run {"-e", "print(nn)"}))
    local out = run {"-i", stdin = "print(nn == require 'nnlua')\n"}
    assert.truthy(out:find "true\n")
  end)

  it("takes the library from NNLUA_PATH, chunks named alike", function()
    assert(core.sys.mkdir(folder .. "/nnlua"))
    files.write(folder .. "/nnlua/own.lua", "return debug.getinfo(1, 'S').source")
    local code = "print((require 'nnlua.own')) e = require 'nnlua.err' "
      .. "print(debug.getinfo(e.raise, 'S').source)"
    local own = {"-e", code, env = "NNLUA_PATH=" .. folder}
    assert.are.equal("@nnlua/own.lua\n@nnlua/err.lua\n", (run(own)))
    table.insert(own, 1, "-E")
    assert.are.equal(1, (select(3, run(own))))
  end)

  it("raises 'interrupted!' at Ctrl-C", function()
    local command = [[%s -e "while true do end" & sleep 0.2; kill -INT $!; wait $!]]
    local _, err, code = run.shell("set -m; " .. command:format(run.quote(run.nnlua)))
    assert.are.equal("nnlua: interrupted!", plain(err):match "[^\n]*interr[^\n]*")
    assert.are.equal(1, code)
  end)

  it("ends at the second Ctrl-C when the first is not answered", function()
    local code = "('x'):rep(300000):find(('.-'):rep(5) .. 'y')"
    local command = "%s -e %s & sleep 0.2; kill -INT $!; sleep 0.2; kill -INT $!; wait $!"
    local _, _, status =
      run.shell("set -m; " .. command:format(run.quote(run.nnlua), run.quote(code)))
    assert.are.equal(130, status)
  end)

  it("is a module of the stock interpreter too", function()
    local library = run.nnlua:gsub("[^/]*$", "libnnlua.so")
    local out, err, code = run.shell(("lua5.4 -v && lua5.4 -e %s"):format(run.quote(
      ("package.cpath = %q print(type(require 'nnlua'), require 'nnlua' == package.loaded.nnlua)")
      :format(library))))
    if code == 127 then return end -- no lua5.4 on this machine
    if err:find "ASan runtime does not come first" then return end -- a build with SAN=1
    assert.are.equal("table\ttrue", out:match "[^\n]*\n([^\n]*)")
  end)
end)
