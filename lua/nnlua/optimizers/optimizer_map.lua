-- Which optimizer each variable gets: by its path, exactly, else by the one pattern that covers the
-- whole path, else the default.

local class = require "nnlua.class"
local err = require "nnlua.err"
local tree = require "nnlua.tree"

local OptimizerMap = class.new("OptimizerMap", {
  args = "default_optimizer, optimizer_map=None",
})

function OptimizerMap:init(a)
  self.default_optimizer = require("nnlua.optimizers").get(a.default_optimizer, "OptimizerMap")
  self.optimizer_map = {}
  for path, optimizer in pairs(a.optimizer_map or {}) do
    self.optimizer_map[path] = require("nnlua.optimizers").get(optimizer, "OptimizerMap")
  end
end

-- True when the pattern (Lua's, or ".*" as in a regular expression) covers the whole path.
local function covers(pattern, path)
  local ok, from, to = pcall(string.find, path, pattern)
  return ok and from == 1 and to == #path
end

--- The optimizer for a variable's path.
function OptimizerMap:find(path)
  if self.optimizer_map[path] then return self.optimizer_map[path] end
  local found, by
  for pattern, optimizer in pairs(self.optimizer_map) do
    if covers(pattern, path) then
      if found and found ~= optimizer then
        err.raise("OptimizerMap: '%s' and '%s' both cover the path '%s'", by, pattern, path)
      end
      found, by = optimizer, pattern
    end
  end
  return found or self.default_optimizer
end

--- All its optimizers, the default first, the others by path.
function OptimizerMap:list()
  local list, seen = {self.default_optimizer}, {[self.default_optimizer] = true}
  for _, path in ipairs(tree.keys(self.optimizer_map)) do
    local o = self.optimizer_map[path]
    if not seen[o] then list[#list + 1], seen[o] = o, true end
  end
  return list
end

function OptimizerMap:get_config()
  local optimizers = require "nnlua.optimizers"
  local map = {}
  for path, o in pairs(self.optimizer_map) do map[path] = optimizers.serialize(o) end
  return {default_optimizer = optimizers.serialize(self.default_optimizer), optimizer_map = map}
end

function OptimizerMap.from_config(cls, config) return cls(config) end

return OptimizerMap
