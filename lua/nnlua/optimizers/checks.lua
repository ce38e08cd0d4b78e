-- What the arguments of optimizers may be.

local err = require "nnlua.err"

local checks = {}

local function fail(self, name, value, wanted)
  err.raise("%s: %s is %s, expected %s", self.class_name, name, err.show(value), wanted)
end

--- Each named field is a number of 0 or more (NaN is none).
function checks.not_negative(self, ...)
  for _, name in ipairs {...} do
    local v = self[name]
    if type(v) ~= "number" then fail(self, name, v, "a number") end
    if not (v >= 0) then fail(self, name, v, "0 or more") end
  end
end

--- Each named field is a number from 0 to 1.
function checks.fraction(self, ...)
  for _, name in ipairs {...} do
    local v = self[name]
    if type(v) ~= "number" then fail(self, name, v, "a number from 0 to 1") end
    if not (v >= 0 and v <= 1) then fail(self, name, v, "0 to 1") end
  end
end

--- Each named field is a number.
function checks.number(self, ...)
  for _, name in ipairs {...} do
    local v = self[name]
    if type(v) ~= "number" or v ~= v then fail(self, name, v, "a number") end
  end
end

--- Each named field is true or false.
function checks.boolean(self, ...)
  for _, name in ipairs {...} do
    if type(self[name]) ~= "boolean" then fail(self, name, self[name], "true or false") end
  end
end

--- Each named field is nil or an integer of at least `least`.
function checks.count(self, least, ...)
  for _, name in ipairs {...} do
    local v = self[name]
    if v ~= nil and not (math.tointeger(v) and v >= least) then
      fail(self, name, v, ("an integer of %d or more"):format(least))
    end
  end
end

local CLIPS = {"clipnorm", "clipvalue", "global_clipnorm"}

--- The arguments that all optimizers share.
function checks.common(self)
  for _, name in ipairs {"weight_decay", "clipnorm", "clipvalue", "global_clipnorm",
    "loss_scale_factor"} do
    if self[name] ~= nil then checks.not_negative(self, name) end
  end
  local given = {}
  for _, name in ipairs(CLIPS) do
    if self[name] ~= nil then given[#given + 1] = name end
  end
  if #given > 1 then
    err.raise("%s: %s and %s are both set, expected one of clipnorm, clipvalue, global_clipnorm",
      self.class_name, given[1], given[2])
  end
  checks.boolean(self, "use_ema")
  checks.fraction(self, "ema_momentum")
  checks.count(self, 1, "ema_overwrite_frequency")
  checks.count(self, 2, "gradient_accumulation_steps")
  if self.name ~= nil and type(self.name) ~= "string" then
    fail(self, "name", self.name, "a string")
  end
end

return checks
