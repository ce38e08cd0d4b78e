-- Runs Busted inside this interpreter: nnlua tools/busted.lua [busted's options] spec
--
-- A Busted that LuaRocks put beside the interpreter (tools/bootstrap.sh) comes first.
local rocks = (arg[-1]:match "^(.*)/[^/]*$" or ".") .. "/rocks"
package.path = rocks .. "/share/lua/5.4/?.lua;" .. rocks .. "/share/lua/5.4/?/init.lua;"
  .. package.path
package.cpath = rocks .. "/lib/lua/5.4/?.so;" .. rocks .. "/lib64/lua/5.4/?.so;" .. package.cpath

require "busted.runner" {standalone = false}
