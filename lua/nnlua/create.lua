-- nn.zeros, nn.arange and kin: those of nn.ops.

local ops = require "nnlua.ops"

local create = {}

for _, name in ipairs {"zeros", "ones", "full", "arange", "linspace", "eye"} do
  create[name] = ops[name]
end

return create
