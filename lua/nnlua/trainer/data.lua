-- From what a caller passes as x, y, sample_weight to rows that plans can be fed with.
--
-- A "source" gives the batches of an epoch: an ArraySource from tensors in memory (consecutive
-- batches of one size are one chunk that runs in one C call), an IteratorSource from a data set or
-- a Lua iterator (a chunk is one batch).

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local tree = require "nnlua.tree"
local Variable = require "nnlua.variable"

local data = {}

-- tensors ----------------------------------------------------------------------------------------

local function to_tensor(v, where, what)
  if core.is_tensor(v) then return v end
  if v.is_data_table then return v:tensor() end -- an nn.data.Table
  if class.is(v, Variable) then return v.tensor end
  local ok, t = pcall(core.new, v)
  if ok then return t end
  local text = tostring(t):gsub("^.-tensor: ", "")
  if what ~= "x" then text = text:gsub("^x%[", what .. "[") end
  if text:find("^x%[") or text:find("^" .. what .. "%[") then err.raise("%s: %s", where, text) end
  return err.raise("%s: %s: %s", where, what, text)
end

-- A nested table of numbers is one array; a list or table of tensors is several.
local function is_array_table(v)
  local first = v[1]
  if first == nil then return next(v) == nil end
  if type(first) == "table" and getmetatable(first) == nil then return is_array_table(first) end
  return not core.is_tensor(first) and not class.is(first, Variable)
end

--- x or y as tensors in the caller's structure. count: how many the model takes (nil = unknown).
function data.tensors(v, where, what, count)
  if v == nil then return nil end
  if type(v) == "table" and getmetatable(v) == nil and not core.is_tensor(v) then
    local several = not is_array_table(v) or (count and count > 1 and #v == count)
    if several then
      local out = {}
      for _, k in ipairs(tree.keys(v)) do
        local inner = v[k]
        out[k] = to_tensor(inner, where, type(k) == "string" and k or what)
      end
      return out
    end
  end
  if type(v) ~= "table" and not core.is_tensor(v) then
    err.raise("%s: %s is %s, expected a tensor", where, what, err.show(v))
  end
  return to_tensor(v, where, what)
end

local function row_count(t) return t.ndim > 0 and t.shape[1] or 1 end

--- The common number of rows of x, y and weights; an error names those that differ.
function data.check_rows(where, x, y, w)
  local rows = row_count(tree.flatten(x)[1])
  for _, part in ipairs {{"x", x}, {"y", y}, {"sample_weight", w}} do
    for _, t in ipairs(tree.flatten(part[2])) do
      if row_count(t) ~= rows then
        err.raise("%s: x has %d rows but %s has %d", where, rows, part[1], row_count(t))
      end
    end
  end
  err.check(rows > 0, "%s: x has no rows", where)
  return rows
end

--- Rows a .. b (1-based, inclusive) of every tensor.
function data.rows(v, a, b)
  return tree.map(function(t) return core.view(t, {{a, b}}) end, v)
end

local function contiguous(v)
  return tree.map(function(t)
    if core.is_contiguous(t) then return t end
    return core.astype(t)
  end, v)
end

-- sources ----------------------------------------------------------------------------------------

local ArraySource = class.new("ArraySource")

--- batch: rows of a batch. shuffle: false, true or "batch". permute(epoch): int32 row order.
function ArraySource:init(x, y, w, rows, batch, order_of)
  self.x, self.y, self.w = contiguous(x), contiguous(y), contiguous(w)
  self.rows, self.batch, self.order_of = rows, batch, order_of
  self.feeds = tree.flatten(self.w, tree.flatten(self.y, tree.flatten(self.x)))
  self.batches = math.ceil(rows / batch)
  self.at = 0 -- rows given so far in this pass
  self.passes = 0
  self.plans = {}
end

--- Starts a new pass over the rows.
function ArraySource:restart()
  self.at = 0
  self.passes = self.passes + 1
  self.order = self.order_of and self.order_of(self.passes, self.order) or nil
end

--- Up to `most` batches of one size: a spec for plan:run, nil at the end of the pass.
function ArraySource:chunk(most)
  local left = self.rows - self.at
  if left <= 0 then return nil end
  local size = math.min(self.batch, left)
  local steps = math.min(left // size, most)
  return {feeds = self.feeds, order = self.order, first = self.at + 1, batch = size, steps = steps,
    x = self.x, y = self.y, w = self.w, plans = self.plans}
end

--- `steps` batches of the last chunk are done.
function ArraySource:advance(chunk, steps) self.at = self.at + steps * chunk.batch end

--- Where the source stands, for a checkpoint; seek goes there. middle: inside a pass, whose order
--- `again` prepares to be drawn once more.
function ArraySource:position() return {at = self.at, passes = self.passes} end

function ArraySource:seek(position, middle, again)
  self.passes = position.passes
  if not middle then return end
  self.passes = self.passes - 1
  if self.order_of then again() end
  self:restart()
  self.at = position.at
end

--- A chunk of the pass under way, which stays where it is.
function ArraySource:peek()
  local at = self.at
  if at >= self.rows then self.at = 0 end
  local chunk = self:chunk(1)
  self.at = at
  return chunk
end

--- The tensors of a chunk's batch number `k` (1-based), for running batch by batch.
function ArraySource.batch_of(_, chunk, k)
  local a = chunk.first + (k - 1) * chunk.batch
  local function take(v)
    return tree.map(function(t)
      if chunk.order then
        local rows = core.view(chunk.order, {{a, a + chunk.batch - 1}})
        return require("nnlua.ops").take(t, rows + 1, 1)
      end
      return core.astype(core.view(t, {{a, a + chunk.batch - 1}}))
    end, v)
  end
  return take(chunk.x), take(chunk.y), take(chunk.w)
end

data.ArraySource = ArraySource

local IteratorSource = class.new("IteratorSource")

--- make(): a function that gives x, y, w of the next batch, nil at the end. count: batches if
--- known.
function IteratorSource:init(make, where, count)
  self.make, self.where, self.batches = make, where, count
  self.next, self.passes, self.pulled = nil, 0, 0
end

function IteratorSource:restart()
  self.next, self.passes, self.pulled = self.make(), self.passes + 1, 0
end

function IteratorSource:position() return {pulled = self.pulled, passes = self.passes} end

-- Passes that are over are begun again, as a data set counts them for its order; then batches are
-- drawn and left.
function IteratorSource:seek(position, middle)
  for _ = 1, position.passes do self:restart() end
  if not middle then return end
  for _ = 1, position.pulled do
    self.last = self:chunk()
    if not self.last then return end
  end
end

--- A chunk of the pass under way: the last that was drawn.
function IteratorSource:peek() return self.last end

function IteratorSource:chunk()
  if not self.next then return nil end
  self.pulled = self.pulled + 1
  local x, y, w = self.next()
  if x == nil then
    self.next = nil
    return nil
  end
  if type(x) == "table" and getmetatable(x) == nil and y == nil and not is_array_table(x)
    and x[1] ~= nil then
    x, y, w = x[1], x[2], x[3]
  end
  x = contiguous(data.tensors(x, self.where, "x"))
  y = contiguous(data.tensors(y, self.where, "y"))
  w = contiguous(data.tensors(w, self.where, "sample_weight"))
  local rows = data.check_rows(self.where, x, y, w)
  return {feeds = tree.flatten(w, tree.flatten(y, tree.flatten(x))), first = 1, batch = rows,
    steps = 1, x = x, y = y, w = w}
end

function IteratorSource.advance() end

function IteratorSource.batch_of(_, chunk) return chunk.x, chunk.y, chunk.w end

data.IteratorSource = IteratorSource

-- Rows that come in portions, each a run of batches for one call of the plan.
local PortionSource = class.new("PortionSource")

--- make(): a function that gives {x, y, w}, rows and their order (int32 from 0, or nil) of the next
--- portion, nil at the end.
function PortionSource:init(make, batch)
  self.make, self.batch = make, batch
  self.next, self.passes, self.pulled, self.at, self.rows = nil, 0, 0, 0, 0
end

function PortionSource:restart()
  self.next, self.passes, self.pulled, self.at, self.rows = self.make(), self.passes + 1, 0, 0, 0
end

function PortionSource:position() return {pulled = self.pulled, passes = self.passes} end

function PortionSource:seek(position, middle)
  for _ = 1, position.passes do self:restart() end
  if not middle then return end
  while self.pulled < position.pulled do
    self.last = self:chunk(position.pulled - self.pulled)
    if not self.last then return end
    self:advance(self.last, self.last.steps)
  end
end

function PortionSource:peek() return self.last end

-- Takes up the next portion; false at the end.
local function open_portion(self)
  local parts, rows, order = self.next()
  if not parts then
    self.next = nil
    return false
  end
  local x, y, w = contiguous(parts[1]), contiguous(parts[2]), contiguous(parts[3])
  self.parts = {x = x, y = y, w = w, order = order,
    feeds = tree.flatten(w, tree.flatten(y, tree.flatten(x)))}
  self.at, self.rows = 0, rows
  return true
end

function PortionSource:chunk(most)
  if not self.next or self.at >= self.rows and not open_portion(self) then return nil end
  local left, p = self.rows - self.at, self.parts
  local size = math.min(self.batch, left)
  return {feeds = p.feeds, order = p.order, first = self.at + 1, batch = size,
    steps = math.min(left // size, most), x = p.x, y = p.y, w = p.w}
end

function PortionSource:advance(chunk, steps)
  self.at, self.pulled = self.at + steps * chunk.batch, self.pulled + steps
end

PortionSource.batch_of = ArraySource.batch_of

--- True for data sets and iterators.
function data.is_iterable(x)
  if type(x) == "function" then return true end
  return type(x) == "table" and getmetatable(x) ~= nil and x.iterate ~= nil
end

--- A source from a data set (`iterate()` gives a function of batches) or a Lua iterator. A plain
--- iterator is used up after one pass; one that returns an iterator is a factory, called each pass.
--- A data set with `portions` gives whole runs of batches. shuffle: what a data set that orders its
--- own batches is asked for.
function data.iterator_source(x, where, shuffle)
  if type(x) ~= "function" then
    if rawget(x, "portions") then return PortionSource(x.portions, x.batch_size) end
    local count = x.cardinality and x:cardinality()
    return IteratorSource(function() return x:iterate{shuffle = shuffle} end, where, count)
  end
  local first, seen
  local function make()
    if seen == nil then
      first = table.pack(x())
      seen = type(first[1]) == "function" and "factory" or "iterator"
      if seen == "factory" then return first[1] end
      return function()
        if first then
          local values = first
          first = nil
          return table.unpack(values, 1, values.n)
        end
        return x()
      end
    end
    if seen == "factory" then return (x()) end
    return x
  end
  return IteratorSource(make, where)
end

-- weights ----------------------------------------------------------------------------------------

local most_classes = 1 << 24

local function check_class_weights(weights, where)
  if type(weights) ~= "table" then
    err.raise("%s: class_weight is %s, expected {[class id] = weight}", where, err.show(weights))
  end
  for id, weight in pairs(weights) do
    if type(weight) ~= "number" then
      err.raise("%s: class_weight of class %s is %s, expected a number", where, tostring(id),
        err.show(weight))
    end
  end
end

--- Row weights from {class id = weight} and the labels: ids, (N, 1) ids or one-hot rows.
function data.class_weights(weights, y, where, classes)
  if not core.is_tensor(y) then
    err.raise("%s: class_weight wants class ids or one-hot rows", where)
  end
  local ops = require "nnlua.ops"
  check_class_weights(weights, where)
  local ids = y
  if y.ndim > 1 and y.shape[y.ndim] > 1 then
    if y.ndim > 2 then err.raise("%s: class_weight wants class ids or one-hot rows", where) end
    classes = y.shape[y.ndim]
    local sums = ops.sum(y, {axis = -1})
    if ops.max(ops.abs(sums - 1)):item() > 1e-3 then
      err.raise("%s: class_weight wants class ids or one-hot rows", where)
    end
    ids = core.astype(ops.argmax(y, {axis = -1}) - 1, "int32")
  elseif y.ndim > 1 then
    ids = y:reshape{-1}
  end
  ids = core.astype(ops.round(core.astype(ids, "float32")), "int32")
  for id in pairs(weights) do
    if math.type(id) ~= "integer" or id < 0 then
      err.raise("%s: class_weight names class %s, expected an integer of 0 or more", where,
        tostring(id))
    elseif classes and id >= classes then
      err.raise("%s: class_weight names class %s but the output has %d classes", where,
        tostring(id), classes)
    end
  end
  local first, last = ops.min(ids):item(), ops.max(ids):item()
  if first < 0 or last >= most_classes then
    err.raise("%s: class_weight wants class ids of 0 or more, y holds %d", where,
      first < 0 and first or last)
  end
  local table_of = {}
  for i = 0, last do table_of[i + 1] = weights[i] or 1 end
  return ops.take(core.new(table_of), ids + 1, 1)
end

--- A specification of a structure of tensors for one batch: shapes and dtypes at the leaves.
local Spec = class.new("Spec")
function Spec:init(shape, dtype) self.shape, self.dtype = shape, dtype end

function data.spec(v, batch, dtypes)
  local at = 0
  return tree.map(function(t)
    at = at + 1
    local shape = t.shape
    shape[1] = batch
    return Spec(shape, dtypes and dtypes[at] or t.dtype)
  end, v)
end

--- A text that is equal for equal specifications.
function data.spec_key(v)
  local parts = {}
  for _, s in ipairs(tree.flatten(v)) do
    parts[#parts + 1] = s.dtype .. shapes.text(s.shape)
  end
  return table.concat(parts, ";")
end

return data
