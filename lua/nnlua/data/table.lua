-- Tables of named columns: what nn.data.csv gives, and the steps from raw cells to a tensor.
--
-- What is fitted (categories, means) is fitted on training rows and kept in the table; `like =
-- table` applies it to others. Every step gives a new table; columns are shared, never changed.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"

---@class nn.data.Table
---@field columns string[] names in order
---@field rows integer number of rows (as a method: `t:rows(a, b)`)
local Table = class.new("Table", {})

--- columns: {name=, type="number"|"text", values={...}} with false for a missing cell.
function Table:init(count, columns)
  rawset(self, "count", count)
  rawset(self, "list", columns)
  rawset(self, "index", {})
  for i, c in ipairs(columns) do self.index[c.name] = i end
end

Table.getters.columns = function(self)
  local names = {}
  for i, c in ipairs(self.list) do names[i] = c.name end
  return names
end

Table.__len = function(self) return self.count end

local function find(self, name, where)
  local i = self.index[name]
  if not i then
    local names = self.columns
    err.raise("%s: no column '%s'; there are %s%s", where, tostring(name),
      table.concat(names, ", "), err.suggest(name, names))
  end
  return self.list[i]
end

--- The values of a column as a list; false stands for a missing cell.
function Table:column(name)
  local values = find(self, name, "column").values
  return table.move(values, 1, #values, 1, {})
end

--- "number" or "text".
function Table:type(name) return find(self, name, "type").type end

local function with_values(c, values)
  return {name = c.name, type = c.type, values = values, fitted = c.fitted}
end

local function pick(self, keep)
  local rows = {}
  for i = 1, self.count do if keep(i) then rows[#rows + 1] = i end end
  local columns = {}
  for k, c in ipairs(self.list) do
    local values = {}
    for i, row in ipairs(rows) do values[i] = c.values[row] end
    columns[k] = with_values(c, values)
  end
  return Table(#rows, columns)
end

--- Rows a .. b (from 1, inclusive), or those for which a function of (row number) is true.
function Table:rows(a, b)
  if type(a) == "function" then return pick(self, a) end
  b = b or self.count
  if math.type(a) ~= "integer" or math.type(b) ~= "integer" or a < 1 or b > self.count then
    err.raise("rows: %s to %s, the table has rows 1 to %d", tostring(a), tostring(b), self.count)
  end
  return pick(self, function(i) return i >= a and i <= b end)
end

--- The named columns, in that order.
function Table:select(names)
  local columns = {}
  for i, name in ipairs(names) do columns[i] = find(self, name, "select") end
  return Table(self.count, columns)
end

--- All but the named columns.
function Table:drop(names)
  if type(names) == "string" then names = {names} end
  local gone, columns = {}, {}
  for _, name in ipairs(names) do gone[find(self, name, "drop").name] = true end
  for _, c in ipairs(self.list) do
    if not gone[c.name] then columns[#columns + 1] = c end
  end
  return Table(self.count, columns)
end

--- A new last column (or a replaced one): f(row) for each row, row being a table name -> value.
function Table:with(name, f)
  local row, values, kind = {}, {}, "number"
  for i = 1, self.count do
    for _, c in ipairs(self.list) do row[c.name] = c.values[i] end
    local v = f(row, i)
    if v == nil then v = false end
    if type(v) == "string" then kind = "text" end
    values[i] = v
  end
  local columns = table.move(self.list, 1, #self.list, 1, {})
  columns[self.index[name] or #columns + 1] = {name = name, type = kind, values = values}
  return Table(self.count, columns)
end

-- fitting
-- ------------------------------------------------------------------------------------------

local function source_of(options, self, name)
  local like = options.like
  if like and like.fits and like.fits[name] then return like.fits[name] end
  if like then err.raise("the table in `like` was not fitted on column '%s'", name) end
  return nil, self
end

local function copy_fits(self, out, options)
  local fits = {}
  for k, v in pairs(self.fits or {}) do fits[k] = v end
  for k, v in pairs(options.like and options.like.fits or {}) do fits[k] = fits[k] or v end
  rawset(out, "fits", fits)
  return out
end

local function categories_of(values)
  local seen, list, missing = {}, {}, false
  for _, v in ipairs(values) do
    if v == false then
      missing = true
    elseif not seen[v] then
      seen[v] = true
      list[#list + 1] = v
    end
  end
  table.sort(list, function(a, b) return tostring(a) < tostring(b) end)
  return list, missing
end

local function text_of(v)
  return math.type(v) == "float" and v == math.floor(v) and ("%d"):format(v) or tostring(v)
end

local function indicator(name, values, wanted)
  local out = {}
  for i, v in ipairs(values) do out[i] = v == wanted and 1 or 0 end
  return {name = name, type = "number", values = out}
end

local function encode(c, fit, drop_binary)
  local two = drop_binary and #fit.categories == 2 and not fit.missing
  local out = {}
  for i, category in ipairs(fit.categories) do
    if not two or i == 2 then
      out[#out + 1] = indicator(("%s=%s"):format(c.name, text_of(category)), c.values, category)
    end
  end
  return out
end

--- 0/1 columns for categories: of all text columns, or of the `columns` named. Values stand in byte
--- order; a column of two values becomes one (`binary=false` keeps both); missing cells are 0 in
--- all. `like`: a table that was encoded before, whose categories are used.
---@param options {columns: string[]?, like: nn.data.Table?, binary: boolean?}?
function Table:one_hot(options)
  options = options or {}
  local names = options.columns or options[1] and options
  local wanted = {}
  for _, name in ipairs(names or {}) do wanted[find(self, name, "one_hot").name] = true end
  local columns, fits = {}, {}
  for _, c in ipairs(self.list) do
    if (names and wanted[c.name]) or (not names and c.type == "text") then
      local fit = source_of(options, self, c.name)
      if not fit then
        local list, missing = categories_of(c.values)
        fit = {categories = list, missing = missing}
      end
      fits[c.name] = fit
      for _, e in ipairs(encode(c, fit, options.binary ~= false)) do columns[#columns + 1] = e end
    else
      columns[#columns + 1] = c
    end
  end
  local out = copy_fits(self, Table(self.count, columns), options)
  for k, v in pairs(fits) do out.fits[k] = v end
  return out
end

--- Text columns as class ids 0, 1, ... in byte order of their values (-1 where missing).
function Table:codes(options)
  options = options or {}
  local names = options.columns or options[1] and options
  local columns, fits = {}, {}
  for k, c in ipairs(self.list) do
    local chosen = not names and c.type == "text"
    for _, name in ipairs(names or {}) do chosen = chosen or name == c.name end
    columns[k] = c
    if chosen then
      local fit = source_of(options, self, c.name)
      fit = fit or {categories = (categories_of(c.values))}
      fits[c.name] = fit
      local id, values = {}, {}
      for i, v in ipairs(fit.categories) do id[v] = i - 1 end
      for i, v in ipairs(c.values) do values[i] = id[v] or -1 end
      columns[k] = {name = c.name, type = "number", values = values}
    end
  end
  local out = copy_fits(self, Table(self.count, columns), options)
  for k, v in pairs(fits) do out.fits[k] = v end
  return out
end

local function statistics(values)
  local sum, n, zero_one = 0, 0, true
  for _, v in ipairs(values) do if v then sum, n = sum + v, n + 1 end end
  local mean = n > 0 and sum / n or 0
  local filled, squares = 0, 0
  for _, v in ipairs(values) do filled = filled + (v or mean) end
  filled = filled / math.max(1, #values)
  for _, v in ipairs(values) do
    local x = v or mean
    squares = squares + (x - filled) ^ 2
    zero_one = zero_one and (x == 0 or x == 1)
  end
  return {fill = mean, mean = filled, sd = math.sqrt(squares / math.max(1, #values)),
    zero_one = zero_one}
end

--- Number columns with mean 0 and standard deviation 1 (population); missing cells become the mean
--- before. Columns of 0 and 1 alone stay. `like`: a table whose means are used.
---@param options {columns: string[]?, like: nn.data.Table?}?
function Table:standardize(options)
  options = options or {}
  local names = options.columns or options[1] and options
  local columns, fits = {}, {}
  for k, c in ipairs(self.list) do
    local chosen = not names and c.type == "number"
    for _, name in ipairs(names or {}) do chosen = chosen or name == c.name end
    columns[k] = c
    if chosen then
      local key = "number:" .. c.name
      local fit = options.like and options.like.fits and options.like.fits[key]
        or statistics(c.values)
      fits[key] = fit
      local values, sd = {}, fit.sd > 0 and fit.sd or 1
      for i, v in ipairs(c.values) do
        v = v or fit.fill
        values[i] = fit.zero_one and v or (v - fit.mean) / sd
      end
      columns[k] = {name = c.name, type = "number", values = values}
    end
  end
  local out = copy_fits(self, Table(self.count, columns), options)
  for k, v in pairs(fits) do out.fits[k] = v end
  return out
end

--- All columns as a float32 tensor (rows, columns); text and missing cells are errors.
---@param dtype string?
---@return nn.Tensor
function Table:tensor(dtype)
  local rows = {}
  for i = 1, self.count do rows[i] = {} end
  for k, c in ipairs(self.list) do
    if c.type == "text" then
      err.raise("tensor: column '%s' holds text; use one_hot, codes or drop", c.name)
    end
    for i, v in ipairs(c.values) do
      if not v then
        err.raise("tensor: column '%s' has a missing cell in row %d; use standardize or drop",
          c.name, i)
      end
      rows[i][k] = v
    end
  end
  if self.count == 0 then return core.full({0, #self.list}, 0, dtype) end
  return core.new(rows, dtype)
end

Table.__tostring = function(self)
  local lines = {table.concat(self.columns, "\t")}
  for i = 1, math.min(5, self.count) do
    local cells = {}
    for k, c in ipairs(self.list) do
      cells[k] = c.values[i] == false and "" or text_of(c.values[i])
    end
    lines[#lines + 1] = table.concat(cells, "\t")
  end
  if self.count > 5 then lines[#lines + 1] = ("... %d rows"):format(self.count) end
  return table.concat(lines, "\n")
end

return Table
