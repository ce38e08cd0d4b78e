-- nn.utils.PyDataset: batches by number, computed when they are asked for.
--
--   local Mine = nn.utils.PyDataset:extend("Mine")
--   function Mine:__len__() return 10 end           -- batches
--   function Mine:__getitem__(i) return x, y end    -- batch i = 1 .. 10
--   model:fit{Mine(), epochs = 3}

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local seed = require "nnlua.seed"

---@class nn.utils.PyDataset
---@field workers integer
---@field use_multiprocessing boolean
---@field max_queue_size integer
local PyDataset = class.new("PyDataset", {
  args = "workers=1, use_multiprocessing=False, max_queue_size=10",
})

-- Batches come one after the other in the calling thread: the arguments are kept, nothing more.
function PyDataset:init(a)
  a = type(a) == "table" and a or {}
  rawset(self, "workers", a.workers or 1)
  rawset(self, "use_multiprocessing", a.use_multiprocessing or false)
  rawset(self, "max_queue_size", a.max_queue_size or 10)
end

--- Number of batches of an epoch; nil or a missing method: not known, then __getitem__ ends the
--- epoch by returning nil.
---@return integer?
function PyDataset:cardinality()
  local length = self.num_batches
  if type(length) == "function" then length = length(self) end
  local of_class = self.__len__ or self.__len
  if length == nil and of_class then length = of_class(self) end
  if length == nil then return nil end
  if math.tointeger(length) == nil or length < 0 then
    err.raise("%s: __len__ gave %s, expected an integer of 0 or more", self.class_name,
      err.show(length))
  end
  return math.tointeger(length)
end

--- Batch i (from 1): x, y, sample_weight. To be written by subclasses.
---@param i integer
function PyDataset:__getitem__(i)
  return err.raise("%s: __getitem__ is missing; it gives batch %d", self.class_name, i)
end

--- Called before the first and after the last batch of each pass.
function PyDataset:on_epoch_begin() end
function PyDataset:on_epoch_end() end

--- The batches of one pass; fit asks for a random order of them unless its shuffle is false.
---@param options {shuffle: boolean?}?
function PyDataset:iterate(options)
  local count, i, order = self:cardinality(), 0, nil
  self:on_epoch_begin()
  if count and options and options.shuffle then
    order = core.rng.permutation(count, seed.next(), 5, 0)
  end
  return function()
    i = i + 1
    local x, y, w
    if not count or i <= count then x, y, w = self:__getitem__(order and order[i] + 1 or i) end
    if x == nil then self:on_epoch_end() end
    return x, y, w
  end
end

return PyDataset
