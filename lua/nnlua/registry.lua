-- Namespaces of named parts (nn.initializers, nn.losses ...): classes and functions that load when
-- they are first asked for, and get, serialize and deserialize as Keras has them.
--
--   return registry.namespace{
--     module = "keras.constraints", folder = "nnlua.constraints.", what = "constraint",
--     base = "Constraint", classes = {MaxNorm = "norms", Constraint = "constraint"},
--   }
--
-- A file gives one class, or a table of classes and functions by name. Strings that name a class
-- are its name, its snake case and `aliases`; `functions` are named by themselves and by `aliases`.

local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local names = require "nnlua.names"
local tree = require "nnlua.tree"

local registry = {}

local function saved() return require "nnlua.saving.objects" end

local function load(space, name, file)
  local value = require(space.folder .. file)
  if not class.is_class(value) then value = value[name] end
  rawset(space.public, name, value)
  return value
end

-- identifier -> name of the class or function
local function index_identifiers(space)
  local index = {}
  for name in pairs(space.classes) do
    index[name] = name
    if not space.strings_give_functions then index[names.snake_case(name)] = name end
  end
  if space.strings_give_functions then
    for name in pairs(space.functions) do index[name] = name end
  end
  for alias, name in pairs(space.aliases or {}) do index[alias] = name end
  for _, name in ipairs(space.not_strings or {}) do index[name] = nil end
  return index
end

-- "; did you mean 'glorot_uniform'?": `common` names go before others that begin alike, and a name
-- in lower case is compared with such names alone.
local function suggestion(space, name)
  local list = {}
  for _, common in ipairs(space.common or {}) do
    if common:sub(1, #name) == name then return ("; did you mean '%s'?"):format(common) end
    list[#list + 1] = common
  end
  for known in pairs(space.index) do
    if name ~= name:lower() or known == known:lower() then list[#list + 1] = known end
  end
  return err.suggest(name, list)
end

local function unknown(space, where, name)
  err.raise("%s: unknown %s '%s'%s", where, space.what, name, suggestion(space, name))
end

local function callable(v)
  if type(v) == "function" then return true end
  local mt = type(v) == "table" and getmetatable(v)
  return mt and mt.__call ~= nil and not class.is_class(v)
end

-- "package>Name" in `objects` may stand under its bare name.
local function custom(name, objects)
  local bare = name:match(">(.*)$") or name
  return objects and (objects[name] or objects[bare]) or saved().find_registered(name)
end

local function make(value, config)
  if not class.is_class(value) then return value end
  return value.from_config and value:from_config(config or {}) or value(config or {})
end

local function deserialize(space, config, objects, where)
  if type(config) == "string" then
    local own = custom(config, objects)
    if own then return make(own) end
    local name = space.index[config]
    if not name then unknown(space, where, config) end
    return make(space.public[name])
  end
  local name = config.class_name
  if name == "function" then
    return deserialize(space, config.registered_name ~= "function" and config.registered_name
      or config.config, objects, where)
  end
  err.check(type(name) == "string", "%s: class_name is %s, expected a string", where,
    err.show(name))
  local registered = config.registered_name
  local own = type(registered) == "string" and custom(registered, objects) or custom(name, objects)
  if own then return make(own, config.config) end
  if not space.index[name] then unknown(space, where, name) end
  return make(space.public[space.index[name]], config.config)
end

local function get(space, identifier, where)
  where = where or space.where
  if identifier == nil or identifier == args.None then return nil end
  if type(identifier) == "string" then return deserialize(space, identifier, nil, where) end
  if class.is_class(identifier) then return identifier {} end
  if callable(identifier) or (space.accepts and space.accepts(identifier)) then
    return identifier
  end
  if type(identifier) == "table" and identifier.class_name and not getmetatable(identifier) then
    return deserialize(space, identifier, nil, where)
  end
  return err.raise("%s: %s is %s, expected a name or a %s", where, space.what,
    err.show(identifier), space.what)
end

-- The name of a function of the namespace, nil for others.
local function function_name(space, fn)
  for name in pairs(space.functions or {}) do
    if rawget(space.public, name) == fn then return name end
  end
end

local function serialize_function(space, fn)
  local name = function_name(space, fn)
  if name then return name end
  return {module = "builtins", class_name = "function",
    config = saved().registered_name(fn) or "<lambda>", registered_name = "function"}
end

local function serialize(space, object)
  if object == nil then return nil end
  if type(object) == "function" then return serialize_function(space, object) end
  err.check(type(object) == "table" and object.get_config and object.class_name,
    "%s.serialize: expected a %s, got %s", space.module, space.what, err.show(object))
  local name, cls = object.class_name, getmetatable(object)
  local built_in = space.classes[name] and rawget(space.public, name) == cls
  return {module = built_in and space.module or args.None, class_name = name,
    config = object:get_config(),
    registered_name = built_in and args.None or saved().registered_name(cls) or "Custom>" .. name}
end

--- A namespace from its description; see the top of the file.
function registry.namespace(space)
  space.where = space.where or space.module:gsub("^keras%.", "") .. ".get"
  space.index = index_identifiers(space)
  local public = {}
  space.public = public

  --- The part that `identifier` names: nil, a name, a class, an object, a function or data.
  function public.get(identifier, where)
    return get(space, identifier, where)
  end

  --- A part from what `serialize` gives. custom_objects (name -> class or function) go first.
  public.deserialize = function(config, custom_objects)
    if args.is_record(config) and config.class_name == nil then
      config, custom_objects = config[1] or config.config or config.name, config.custom_objects
    end
    if config == nil then return nil end
    return deserialize(space, config, custom_objects, space.where:gsub("%.get$", ".deserialize"))
  end

  --- A part as data: a name, or {module=, class_name=, config=, registered_name=}.
  function public.serialize(object) return serialize(space, object) end

  --- The Keras name of a built-in function, nil for others.
  function public.name_of(fn) return function_name(space, fn) end

  --- The strings that `get` takes, sorted.
  function public.names() return tree.keys(space.index) end

  return setmetatable(public, {
    __index = function(_, name)
      local file = space.classes[name] or (space.functions and space.functions[name])
      return file and load(space, name, file) or nil
    end,
  })
end

return registry
