-- Runs Busted inside this interpreter: nnlua tools/busted.lua [busted's options] spec
--
-- A Busted that LuaRocks put beside the interpreter (tools/bootstrap.sh) comes first, then the
-- system's. Distributions that build parts of it for Lua 5.3 alone (Ubuntu 22.04) are helped out:
-- its plain Lua files serve 5.4 as well, and of luasystem it needs the clocks only.

local rocks = (arg[-1]:match "^(.*)/[^/]*$" or ".") .. "/rocks"
local before, after = rocks .. "/share/lua/5.4/?", "/usr/share/lua/5.3/?"
package.path = before .. ".lua;" .. before .. "/init.lua;" .. package.path .. ";"
  .. after .. ".lua;" .. after .. "/init.lua"
package.cpath = rocks .. "/lib/lua/5.4/?.so;" .. rocks .. "/lib64/lua/5.4/?.so;" .. package.cpath

if not pcall(require, "system") then
  package.loaded.system = {
    gettime = os.time,
    monotime = require "nnlua.core".sys.clock,
    sleep = function(seconds) os.execute("sleep " .. seconds) end,
  }
end

require "busted.runner" {standalone = false}
