-- NonNeg: no element below 0.

local ops = require "nnlua.ops"
local Constraint = require "nnlua.constraints.constraint"

local NonNeg = Constraint:extend("NonNeg", {args = ""})

function NonNeg.call(_, w) return ops.maximum(w, 0) end

return NonNeg
