-- The table recipe of ../shared/data on the real files: names of columns, first rows, sums of
-- squares and statistics as targets.json has them.

local nn = require "nnlua"
local json = require "spec.support.json"
local support = require "spec.data.support"

local function derive(t, steps)
  for _, d in ipairs(steps or {}) do
    t = t:with(d.name, function(row)
      local v = row[d.from]
      if d.is_missing then return v and 0 or 1 end
      return v and tostring(v):match((d.match:gsub("\\", "%%"))) or d.missing
    end)
  end
  return t
end

local function without(names, gone)
  local out, is_gone = {}, {}
  for _, name in ipairs(gone or {}) do is_gone[name] = true end
  for _, name in ipairs(names) do if not is_gone[name] then out[#out + 1] = name end end
  return out
end

-- Columns that are text or named as categories become 0/1 columns over the whole file.
local function prepare(d, path)
  local options = {path, trim = true}
  if d.names then options.names, options.header = d.names, false end
  local raw = derive(nn.data.csv(options), d.derive)
  local x = raw:drop(d.target):select(without(without(raw.columns, {d.target}), d.drop))
  local wanted = {}
  for _, name in ipairs(x.columns) do
    if x:type(name) == "text" then wanted[#wanted + 1] = name end
  end
  for _, name in ipairs(d.categorical or {}) do wanted[#wanted + 1] = name end
  return raw, x:one_hot{columns = wanted}
end

local function trains(i) return i % 5 ~= 0 end
local function validates(i) return i % 5 == 0 end

local function sum_of_squares(t)
  local sum = 0
  local list = t:reshape{-1}:totable()
  for _, v in ipairs(list) do sum = sum + v * v end
  return sum
end

local function scaled(t, by)
  for _, name in ipairs(t.columns) do
    t = t:with(name, function(row) return row[name] * by end)
  end
  return t
end

local function check(target, path)
  local d, want = target.data, target.table
  local raw, x = prepare(d, path)
  local names = {}
  for i, name in ipairs(want.columns) do names[i] = name end
  assert.same(names, x.columns)
  local train, test = x:rows(trains), x:rows(validates)
  if d.scale then
    train, test = scaled(train, d.scale), scaled(test, d.scale)
  else
    local fitted = train:standardize()
    for name, s in pairs(want.statistics or {}) do
      if x.index[name] then
        local got = train:statistics(name)
        support.near({s.mean, s.sd}, {got.mean, got.sd}, 1e-8, name)
      end
    end
    train, test = fitted, test:standardize{like = fitted}
  end
  local a, b = train:tensor(), test:tensor()
  assert.same({want.rows_train, want.rows_validation}, {#a, #b})
  -- printed with six digits
  support.near(want.x_train_first, a[1]:totable(), 6e-6, "first row")
  support.near(want.x_validation_first, b[1]:totable(), 6e-6, "first validation row")
  support.near({want.x_train_sum_of_squares}, {sum_of_squares(a)}, 1e-5, "sum of squares")
  support.near({want.x_validation_sum_of_squares}, {sum_of_squares(b)}, 1e-5, "sum of squares")
  if want.class_counts_train then
    local classes = {}
    local text = raw:type(d.target) == "text"
    for i, c in ipairs(d.classes) do classes[i] = text and c or tonumber(c) end
    local y = raw:select{d.target}:codes{d.target, classes = classes}:rows(trains):column(d.target)
    local counts = {}
    for i = 1, #classes do counts[i] = 0 end
    for _, id in ipairs(y) do counts[id + 1] = counts[id + 1] + 1 end
    for i, n in ipairs(want.class_counts_train) do assert.equal(n, counts[i]) end
  end
end

describe("the table recipe", function()
  if not support.has_shared() then return end
  local targets = json.decode(support.text(support.shared .. "targets.json")).targets
  local seen = {}
  for _, target in ipairs(targets) do
    if target.data.kind == "table" and not target.data.reshape and not seen[target.data.file] then
      seen[target.data.file] = true
      it("gives Keras's input for " .. target.name, function()
        check(target, support.shared .. target.data.file)
      end)
    end
  end

  it("gives the input of telco-blog from the example's file but for the first column", function()
    local t = nn.data.csv("examples/data/wa-churn.csv"):drop{"churn", "phone_service"}:one_hot()
    assert.equal(39, #t.columns)
    local want
    for _, target in ipairs(targets) do
      if target.name == "telco-blog" then want = target.table end
    end
    local train = t:rows(trains):standardize()
    local row = train:tensor()[1]:totable()
    for i = 2, 39 do
      assert.is_true(math.abs(row[i] - want.x_train_first[i]) < 1e-5, t.columns[i])
    end
    assert.equal(1 - want.x_train_first[1], row[1])
  end)
end)
