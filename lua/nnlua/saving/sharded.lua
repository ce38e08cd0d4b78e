-- m.weights.json: an index of the files m_00000.weights.h5, m_00001.weights.h5 ..., each of at most
-- max_shard_size GiB. The index says in which of them a group's variables are.

local core = require "nnlua.core"
local err = require "nnlua.err"
local store = require "nnlua.saving.store"
local version = require "nnlua.saving.version"

local format = {}

local GIB = 1 << 30

-- writing ----------------------------------------------------------------------------------------

local function tensor_bytes(item) return item[3].size * (item[4] == "int64" and 8 or 4) end

-- Deals the items out: a shard ends before the tensor that would make it too large.
local function deal(items, most)
  local shards, map, total = {{}}, {}, 0
  local fill, group_items = 0, {}
  for _, item in ipairs(items) do
    if item[1] ~= "tensor" then
      group_items[item[2]] = group_items[item[2]] or {}
      table.insert(group_items[item[2]], item)
    else
      local bytes, group = tensor_bytes(item), item[2]:match "^(.*)/"
      if fill > 0 and fill + bytes > most then
        shards[#shards + 1], fill = {}, 0
      end
      map[group] = map[group] or {}
      if map[group][#map[group]] ~= #shards then
        table.insert(map[group], #shards)
        local shard = shards[#shards]
        table.move(group_items[group], 1, #group_items[group], #shard + 1, shard)
      end
      table.insert(shards[#shards], item)
      fill, total = fill + bytes, total + bytes
    end
  end
  return shards, map, total
end

local function shard_name(base, k) return ("%s_%05d.weights.h5"):format(base, k - 1) end

--- options.max_shard_size: GiB; 10 when it is absent.
function format.save_weights(model, path, options)
  local most = options.max_shard_size or 10
  err.check(type(most) == "number" and most > 0, "save_weights: max_shard_size is %s, expected a "
    .. "number of GiB above 0", err.show(most))
  local folder, base = path:match "^(.*/)([^/]*)%.weights%.json$"
  if not folder then folder, base = "", path:match "^(.*)%.weights%.json$" end
  local shards, map, total = deal(store.items(model), most * GIB)
  for k, items in ipairs(shards) do
    items[#items + 1] = version.item()
    core.hdf5.save(folder .. shard_name(base, k), items)
  end
  local weight_map = {}
  for group, list in pairs(map) do
    local names = {}
    for i, k in ipairs(list) do names[i] = shard_name(base, k) end
    weight_map["/" .. group] = #names == 1 and names[1] or core.json.array(names)
  end
  local text = core.json.encode({metadata = {total_size = total}, weight_map = weight_map}, true)
  local ok, message = core.sys.fsync_write(path, text)
  if not ok then err.raise("save_weights: %s", message) end
end

-- reading ----------------------------------------------------------------------------------------

local MOST = 1 << 26 -- bytes of an index

--- The index of a file of shards, as a table.
function format.index(path, where, limits)
  local most = math.min(limits and limits.bytes or MOST, MOST)
  local index = core.json.decode(core.sys.read(path, {bytes = most}), path, limits)
  if type(index) ~= "table" then err.raise("%s: the index is no object", where) end
  return index
end

-- The index names files beside itself, never elsewhere.
local function shard_names(index, where)
  local names, seen = {}, {}
  for _, v in pairs(type(index.weight_map) == "table" and index.weight_map or {}) do
    for _, name in ipairs(type(v) == "table" and v or {v}) do
      if type(name) ~= "string" or not name:find "^[^/\\%c]+_%d+%.weights%.h5$" then
        err.raise("%s: the index names a shard '%s'", where, tostring(name))
      end
      if not seen[name] then names[#names + 1] = name end
      seen[name] = true
    end
  end
  table.sort(names)
  return names
end

-- The limit of bytes is for all shards together.
local function rest_of(limits, values)
  if not limits or not limits.bytes then return limits end
  local used = 0
  for _, t in pairs(values) do used = used + t.size * 4 end
  return {bytes = math.max(1, limits.bytes - used), tensors = limits.tensors,
    depth = limits.depth}
end

local function add_values(values, names, node, path, file)
  for _, child in ipairs(node.children) do
    local at = path == "" and child.name or path .. "/" .. child.name
    if child.kind == "dataset" then
      values[at] = file:read(at)
    else
      names[at] = child.attributes.name or names[at]
      add_values(values, names, child, at, file)
    end
  end
end

--- for name, file in shards(path, options, where): the files beside the index, open one at a time.
--- values: what was read of those before, which the limit of bytes counts.
function format.shards(path, options, where, values)
  local index = format.index(path, where, options.limits)
  local folder, list, k, file = path:match "^(.*/)" or "", shard_names(index, where), 0, nil
  return function()
    if file then file:close() end
    k = k + 1
    if not list[k] then return nil end
    file = core.hdf5.open(folder .. list[k], rest_of(options.limits, values or {}))
    version.check(file:tree().attributes[version.key], where)
    return list[k], file
  end
end

function format.load_weights(model, path, options)
  local where, values, names = "load_weights: " .. path, {}, {}
  for _, file in format.shards(path, options, where, values) do
    add_values(values, names, file:tree(), "", file)
  end
  local s = store.from_tensors(values, where)
  for group, g in pairs(s.groups) do g.name = names[group] end
  store.load(s, model, options)
end

return format
