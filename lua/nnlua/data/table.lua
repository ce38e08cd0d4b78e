-- Tables of named columns: what nn.data.csv gives, and the steps from raw cells to a tensor.
--
-- What is fitted (categories, means) is fitted on training rows and kept in the table; `like =
-- table` applies it to others. Every step gives a new table; columns are shared, never changed.
-- The cells lie in C (core.column), in double, so that a step costs a pass over an array.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"

local column = core.column

---@class nn.data.Table
---@field columns string[] names in order
---@field rows integer number of rows (as a method: `t:rows(a, b)`)
local Table = class.new("Table", {is_data_table = true})

-- columns: {name=, type="number"|"text", values=core.column}; fits: name -> what was fitted.
function Table:init(count, columns, fits)
  rawset(self, "count", count)
  rawset(self, "list", columns)
  rawset(self, "index", {})
  rawset(self, "fits", fits or {})
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

--- A table from lists: `Table.from_columns{{"age", {31, false, 40}}, {"city", {"Ulm", "Bonn",
--- "Ulm"}}}`, or from a record name -> list (then in byte order of the names).
---@param columns table lists of numbers or texts of one length; false stands for a missing cell
---@return nn.data.Table
function Table.from_columns(columns)
  err.check(type(columns) == "table", "from_columns: expected a table, got %s", err.show(columns))
  local named = {}
  if columns[1] ~= nil then
    for i, pair in ipairs(columns) do named[i] = pair end
  else
    for name, values in pairs(columns) do named[#named + 1] = {name, values} end
    table.sort(named, function(a, b) return a[1] < b[1] end)
  end
  local list, rows = {}, nil
  for i, pair in ipairs(named) do
    local name, values = pair[1], pair[2]
    if core.is_tensor(values) then values = core.totable(values:reshape{values.size}) end
    if type(name) ~= "string" or type(values) ~= "table" then
      err.raise("from_columns: column %d is not a name and a list of cells", i)
    end
    rows = rows or #values
    if #values ~= rows then
      err.raise("from_columns: column '%s' has %d rows, '%s' has %d", name, #values,
        named[1][1], rows)
    end
    list[i] = Table.make_column(name, values, rows, "from_columns")
  end
  return Table(rows or 0, list)
end

--- A column of a list of cells, for from_columns and with.
function Table.make_column(name, values, rows, where)
  local ok, cells = pcall(column.of, values, rows)
  if not ok then err.raise("%s: column '%s': %s", where, name, err.text(cells)) end
  return {name = name, type = column.is_text(cells) and "text" or "number", values = cells}
end

--- The values of a column as a list; false stands for a missing cell.
---@param name string
---@return (number|string|false)[]
function Table:column(name) return column.list(find(self, name, "column").values) end

--- "number" or "text".
---@param name string
---@return string
function Table:type(name) return find(self, name, "type").type end

local function with_cells(self, count, cells)
  local columns = {}
  for k, c in ipairs(self.list) do
    columns[k] = {name = c.name, type = c.type, values = cells(c.values)}
  end
  return Table(count, columns, self.fits)
end

local function check_range(self, a, b)
  if math.type(a) ~= "integer" or math.type(b) ~= "integer" or a < 1 or b > self.count
    or b < a - 1 then
    err.raise("rows: %s to %s, the table has rows 1 to %d", tostring(a), tostring(b), self.count)
  end
end

--- Rows a .. b (from 1, inclusive), those for which a function of (row number) is true, or those of
--- a list of row numbers, in its order.
---@param a integer|fun(row: integer): boolean|integer[]
---@param b integer? the last row by default
---@return nn.data.Table
function Table:rows(a, b)
  if type(a) == "function" then
    local rows = {}
    for i = 1, self.count do if a(i) then rows[#rows + 1] = i end end
    a = rows
  end
  if type(a) == "table" then
    for _, row in ipairs(a) do check_range(self, row, row) end
    return with_cells(self, #a, function(cells) return column.take(cells, a) end)
  end
  b = b or self.count
  check_range(self, a, b)
  return with_cells(self, b - a + 1, function(cells) return column.slice(cells, a, b) end)
end

local function names_of(names, where)
  if type(names) == "string" then return {names} end
  err.check(type(names) == "table", "%s: expected names of columns, got %s", where, err.show(names))
  return names
end

--- The named columns, in that order.
---@param names string[]
---@return nn.data.Table
function Table:select(names)
  local columns = {}
  for i, name in ipairs(names_of(names, "select")) do columns[i] = find(self, name, "select") end
  return Table(self.count, columns, self.fits)
end

--- All but the named columns.
---@param names string[]|string
---@return nn.data.Table
function Table:drop(names)
  local gone, columns = {}, {}
  for _, name in ipairs(names_of(names, "drop")) do gone[find(self, name, "drop").name] = true end
  for _, c in ipairs(self.list) do
    if not gone[c.name] then columns[#columns + 1] = c end
  end
  return Table(self.count, columns, self.fits)
end

-- A row as f sees it: name -> value. Only the columns that are asked for are turned into lists.
local function row_reader(self)
  local lists, at = {}, 0
  local function read(_, name)
    local i = self.index[name]
    if not i then return nil end
    local list = lists[name]
    if not list then
      list = column.list(self.list[i].values)
      lists[name] = list
    end
    return list[at]
  end
  local row = setmetatable({}, {__index = read, __pairs = function()
    local k = 0
    return function()
      k = k + 1
      local c = self.list[k]
      if c then return c.name, read(nil, c.name) end
    end
  end})
  return row, function(i) at = i end
end

--- A new last column (or a replaced one): f(row, i) for each row i, row being a table name -> value
--- in which false stands for a missing cell. f returns a number, a text, or nil or false.
---@param name string
---@param f fun(row: table<string, number|string|false>, i: integer): number|string|false|nil
---@return nn.data.Table
function Table:with(name, f)
  err.check(type(f) == "function", "with: expected a function, got %s", err.show(f))
  local row, move = row_reader(self)
  local values = {}
  for i = 1, self.count do
    move(i)
    values[i] = f(row, i) or false
  end
  local columns = table.move(self.list, 1, #self.list, 1, {})
  columns[self.index[name] or #columns + 1] = Table.make_column(name, values, self.count, "with")
  return Table(self.count, columns, self.fits)
end

-- fitting ----------------------------------------------------------------------------------------

local function fit_of(options, key, name, fit)
  local like = options.like
  if like == nil then return fit() end
  if not class.is(like, Table) then err.raise("like is %s, expected a table", err.show(like)) end
  return like.fits[key] or err.raise("the table in `like` was not fitted on column '%s'", name)
end

-- Runs `step(c)` over the chosen columns: it returns the columns that replace c, a key and a fit.
local function fitted(self, where, options, kind, step)
  local names, wanted = options.columns or options[1] and options or nil, {}
  for _, name in ipairs(names and names_of(names, where) or {}) do
    wanted[find(self, name, where).name] = true
  end
  local columns, fits = {}, {}
  for k, v in pairs(options.like and options.like.fits or {}) do fits[k] = v end
  for k, v in pairs(self.fits) do fits[k] = v end
  for _, c in ipairs(self.list) do
    if wanted[c.name] or (not names and c.type == kind) then
      local new, key, fit = step(c)
      fits[key] = fit
      table.move(new, 1, #new, #columns + 1, columns)
    else
      columns[#columns + 1] = c
    end
  end
  return Table(self.count, columns, fits)
end

local function text_of(v)
  return math.type(v) == "float" and math.tointeger(v) and ("%d"):format(v) or tostring(v)
end

local function categories_of(values)
  local list, missing = column.categories(values)
  table.sort(list, function(a, b) return text_of(a) < text_of(b) end)
  return {categories = list, missing = missing}
end

local function indicators(c, fit, drop_binary)
  local two = drop_binary and #fit.categories == 2 and not fit.missing
  local out = {}
  for i, category in ipairs(fit.categories) do
    if not two or i == 2 then
      out[#out + 1] = {name = ("%s=%s"):format(c.name, text_of(category)), type = "number",
        values = column.lookup(c.values, {[category] = 1}, 0)}
    end
  end
  return out
end

--- 0/1 columns for categories: of all text columns, or of the `columns` named. Values stand in byte
--- order; a column of two values becomes one (`binary=false` keeps both); missing cells are 0 in
--- all. `like`: a table that was encoded before, whose categories are used.
---@param options {columns: string[]?, like: nn.data.Table?, binary: boolean?}?
---@return nn.data.Table
function Table:one_hot(options)
  options = options or {}
  return fitted(self, "one_hot", options, "text", function(c)
    local key = "categories:" .. c.name
    local fit = fit_of(options, key, c.name, function() return categories_of(c.values) end)
    return indicators(c, fit, options.binary ~= false), key, fit
  end)
end

--- Text columns (or the `columns` named) as class ids 0, 1, ... in byte order of their values; -1
--- where the cell is missing or, with `like`, has a value that was not there. `classes`: the values
--- in the order wanted.
---@param options {columns: string[]?, like: nn.data.Table?, classes: (string|number)[]?}?
---@return nn.data.Table
function Table:codes(options)
  options = options or {}
  return fitted(self, "codes", options, "text", function(c)
    local key = "categories:" .. c.name
    local fit = options.classes and {categories = options.classes}
      or fit_of(options, key, c.name, function() return categories_of(c.values) end)
    local id = {}
    for i, v in ipairs(fit.categories) do id[v] = i - 1 end
    return {{name = c.name, type = "number", values = column.lookup(c.values, id, -1)}}, key, fit
  end)
end

--- Number columns with mean 0 and standard deviation 1 (population); missing cells become the mean
--- before. Columns of 0 and 1 alone stay. `like`: a table whose means are used.
---@param options {columns: string[]?, like: nn.data.Table?}?
---@return nn.data.Table
function Table:standardize(options)
  options = options or {}
  return fitted(self, "standardize", options, "number", function(c)
    if c.type == "text" then err.raise("standardize: column '%s' holds text", c.name) end
    local key = "number:" .. c.name
    local fit = fit_of(options, key, c.name, function() return column.fit(c.values) end)
    local mean, sd = fit.mean, fit.sd > 0 and fit.sd or 1
    if fit.zero_one then mean, sd = 0, 1 end
    return {{name = c.name, type = "number", values = column.scale(c.values, fit.fill, mean, sd)}},
      key, fit
  end)
end

--- Mean (before and after filling missing cells) and population standard deviation of a number
--- column, or the categories of a text column: what standardize and one_hot would fit.
---@param name string
---@return table {fill=, mean=, sd=} or {categories=, missing=}
function Table:statistics(name)
  local c = find(self, name, "statistics")
  if c.type == "text" then return categories_of(c.values) end
  return column.fit(c.values)
end

-- the way out ------------------------------------------------------------------------------------

--- All columns as a tensor (rows, columns), float32 unless dtype says otherwise; text and missing
--- cells are errors.
---@param dtype string?
---@return nn.Tensor
function Table:tensor(dtype)
  local cells = {}
  for k, c in ipairs(self.list) do
    if c.type == "text" then
      err.raise("tensor: column '%s' holds text; use one_hot, codes or drop", c.name)
    end
    cells[k] = c.values
  end
  local t, k, row = column.pack(cells, self.count, dtype)
  return t or err.raise("tensor: column '%s' has a missing cell in row %d; use standardize or drop",
    self.list[k].name, row)
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
