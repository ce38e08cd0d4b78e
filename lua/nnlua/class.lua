-- Classes: `Base:extend("Name", {args = "signature", ...})`, objects made by calling the class.
--
--   local Dense = Layer:extend("Dense", {args = 'units, activation=None'})
--   function Dense:init(a) ... a.units ... end
--   Dense{5, activation = "relu"}   or   Dense(5)
--
-- `init(a, given)` gets the bound arguments. A class without `args` inherits its parent's; a class
-- made by a user whose `init` takes plain values has `args = nil` and no parent signature: then the
-- call's values go to init as they are. `getters` and `setters` are computed fields; `on_assign`
-- hears of every field that is set for the first time.

local args = require "nnlua.args"

local class = {}

local function construct(cls, ...)
  local object = setmetatable({}, cls)
  local sig = cls.signature
  if sig then
    object:init(args.collect(sig, ...))
  else
    object:init(...)
  end
  return object
end

local class_mt = {
  __call = construct,
  __tostring = function(cls) return "class " .. cls.class_name end,
}

--- True when `object` is an instance of `cls` or of a class made from it.
function class.is(object, cls)
  local at = type(object) == "table" and getmetatable(object) or nil
  while at do
    if at == cls then return true end
    at = rawget(at, "super")
  end
  return false
end

--- True when `value` is a class.
function class.is_class(value)
  return type(value) == "table" and getmetatable(value) ~= nil
    and rawget(value, "class_name") ~= nil and rawget(value, "__index") ~= nil
end

local function lookup(cls)
  return function(object, key)
    local getter = cls.getters[key]
    if getter then return getter(object) end
    return cls[key]
  end
end

local function assign(cls)
  return function(object, key, value)
    local setter = cls.setters[key]
    if setter then return setter(object, value) end
    local watch = cls.on_assign
    if watch then watch(object, key, value) end
    rawset(object, key, value)
  end
end

local function new(super, name, fields)
  local cls = {class_name = name, super = super}
  -- getters and setters: computed fields (`layer.weights`), inherited like methods
  cls.getters = setmetatable({}, {__index = super and super.getters})
  cls.setters = setmetatable({}, {__index = super and super.setters})
  if super then
    for _, event in ipairs {"__call", "__tostring", "__len", "__name", "__add", "__sub", "__mul",
      "__div", "__unm", "__pow", "__mod", "__close"} do
      cls[event] = rawget(super, event)
    end
  end
  for key, value in pairs(fields or {}) do cls[key] = value end
  cls.__index = lookup(cls)
  cls.__newindex = assign(cls)
  if rawget(cls, "args") then
    cls.signature = args.signature(name, cls.args, {extra = cls.extra_args})
  end
  return setmetatable(cls, {
    __index = super,
    __call = class_mt.__call,
    __tostring = class_mt.__tostring,
  })
end

--- A new root class.
function class.new(name, fields)
  local cls = new(nil, name, fields)
  function cls.extend(self, sub_name, sub_fields) return new(self, sub_name, sub_fields) end
  function cls.is(self, other) return class.is(self, other) end
  if not cls.init then function cls.init() end end
  return cls
end

return class
