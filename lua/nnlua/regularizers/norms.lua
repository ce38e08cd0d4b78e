-- L1: l1 sum |w|. L2: l2 sum w^2. L1L2: both.

local ops = require "nnlua.ops"
local Regularizer = require "nnlua.regularizers.regularizer"

local norms = {}

local function l1_of(w, l1) return ops.sum(ops.abs(w)) * l1 end
local function l2_of(w, l2) return ops.sum(ops.square(w)) * l2 end

norms.L1 = Regularizer:extend("L1", {args = "l1=0.01", own = {"l1"}})
function norms.L1:init(a)
  Regularizer.init(self, a)
  self:check_number "l1"
end
function norms.L1:call(w) return l1_of(w, self.l1) end

norms.L2 = Regularizer:extend("L2", {args = "l2=0.01", own = {"l2"}})
function norms.L2:init(a)
  Regularizer.init(self, a)
  self:check_number "l2"
end
function norms.L2:call(w) return l2_of(w, self.l2) end

norms.L1L2 = Regularizer:extend("L1L2", {args = "l1=0.0, l2=0.0", own = {"l1", "l2"}})
function norms.L1L2:init(a)
  Regularizer.init(self, a)
  self:check_number "l1"
  self:check_number "l2"
end
function norms.L1L2:call(w)
  if self.l1 == 0 then return l2_of(w, self.l2) end
  if self.l2 == 0 then return l1_of(w, self.l1) end
  return l1_of(w, self.l1) + l2_of(w, self.l2)
end

return norms
