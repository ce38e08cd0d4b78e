-- Tables of named columns, step by step.

local nn = require "nnlua"
local support = require "spec.data.support"

local raises = support.raises

local function people()
  return nn.data.csv{"people.csv", text = [[
name,city,age,member
Ada,Ulm,30,1
Bob,Bonn,,0
Cem,Ulm,50,1
Dea,,40,0
]]}
end

describe("nn.data.Table", function()
  it("shows its columns, rows and cells", function()
    local t = people()
    assert.same({"name", "city", "age", "member"}, t.columns)
    assert.equal(4, #t)
    assert.same({30, false, 50, 40}, t:column "age")
    assert.equal("text", t:type "city")
    assert.is_truthy(tostring(t):find("Ada\tUlm\t30\t1", 1, true))
    raises("no column 'agee'; there are name, city, age, member; did you mean 'age'?", t.column, t,
      "agee")
  end)

  it("takes rows by range, predicate and list", function()
    local t = people()
    assert.same({"Bob", "Cem"}, t:rows(2, 3):column "name")
    assert.same({"Cem", "Dea"}, t:rows(3):column "name")
    assert.same({"Ada", "Cem"}, t:rows(function(i) return i % 2 == 1 end):column "name")
    assert.same({"Dea", "Ada", "Ada"}, t:rows{4, 1, 1}:column "name")
    assert.equal(0, #t:rows{})
    raises("rows: 2 to 9, the table has rows 1 to 4", t.rows, t, 2, 9)
    raises("rows: 0 to 0, the table has rows 1 to 4", t.rows, t, {0})
  end)

  it("selects, drops and adds columns; the first table stays", function()
    local t = people()
    assert.same({"age", "name"}, t:select{"age", "name"}.columns)
    assert.same({"city", "age", "member"}, t:drop "name".columns)
    local u = t:with("initial", function(row, i) return row.name:sub(1, 1) .. i end)
      :with("known", function(row) return row.age and 1 or 0 end)
      :with("member", function(row) return row.member == 1 and row.age or nil end)
    assert.same({"name", "city", "age", "member", "initial", "known"}, u.columns)
    assert.same({"A1", "B2", "C3", "D4"}, u:column "initial")
    assert.same({1, 0, 1, 1}, u:column "known")
    assert.same({30, false, 50, false}, u:column "member")
    assert.same({1, 0, 1, 0}, t:column "member")
    local seen = {}
    t:rows(1, 1):with("x", function(row)
      for k, v in pairs(row) do seen[k] = v end
      return 0
    end)
    assert.same({name = "Ada", city = "Ulm", age = 30, member = 1}, seen)
    raises("with: column 'x': row 2 is true, expected a number, a text", t.with, t, "x",
      function(_, i) return i == 2 end)
  end)

  it("makes 0/1 columns, with the categories of another table", function()
    local t = people()
    local city = t:select{"city"}:one_hot()
    assert.same({"city=Bonn", "city=Ulm"}, city.columns) -- a missing cell keeps both
    assert.same({{0, 1}, {1, 0}, {0, 1}, {0, 0}}, city:tensor():totable())
    local names = t:rows(1, 2):select{"name"}
    assert.same({"name=Bob"}, names:one_hot().columns)
    assert.same({"name=Ada", "name=Bob"}, names:one_hot{binary = false}.columns)
    local train = names:one_hot{binary = false}
    local test = t:select{"name"}:one_hot{like = train}
    assert.same({{0}, {1}, {0}, {0}}, test:tensor():totable())
    assert.same({"age=30", "age=40", "age=50"}, t:select{"age"}:one_hot{"age"}.columns)
    raises("was not fitted on column 'city'", t.one_hot, t, {columns = {"city"}, like = train})
    raises("no column 'town'", t.one_hot, t, {"town"})
    raises("like is a table, expected a table", t.one_hot, t, {like = {}})
  end)

  it("makes class ids", function()
    local t = people()
    assert.same({1, 0, 1, -1}, t:codes{"city"}:column "city")
    assert.same({0, -1, 0, -1}, t:codes{"city", classes = {"Ulm"}}:column "city")
    local train = t:rows(1, 2):codes()
    assert.same({0, 1, -1, -1}, t:codes{columns = {"name"}, like = train}:column "name")
    local y = t:select{"member"}:tensor "int32"
    assert.equal("int32", y.dtype)
    assert.same({{1}, {0}, {1}, {0}}, y:totable())
  end)

  it("standardizes by the training rows", function()
    local t = people():select{"age", "member"}
    local train = t:rows(1, 3):standardize()
    local sd = math.sqrt((10 ^ 2 + 0 + 10 ^ 2) / 3)
    support.near({-10 / sd, 0, 10 / sd}, train:column "age", 1e-15)
    assert.same({1, 0, 1}, train:column "member")
    local test = t:rows(2, 4):standardize{like = train}
    support.near({0, 10 / sd, 0}, test:column "age", 1e-15)
    local fit = t:statistics "age"
    assert.equal(40, fit.mean)
    raises("was not fitted on column 'age'", t.standardize, t, {like = people():one_hot()})
    raises("column 'city' holds text", people().standardize, people(), {"city"})
  end)

  it("gives a constant column zeros", function()
    local t = nn.data.Table.from_columns{x = {7, 7, 7}}:standardize()
    assert.same({0, 0, 0}, t:column "x")
  end)

  it("turns to a tensor or says what is in the way", function()
    local t = people()
    raises("tensor: column 'name' holds text; use one_hot, codes or drop", t.tensor, t)
    raises("tensor: column 'age' has a missing cell in row 2", t:select{"age"}.tensor,
      t:select{"age"})
    assert.same({0, 1}, t:select{"member"}:rows{}:tensor().shape)
  end)

  it("comes from lists", function()
    local t = nn.data.Table.from_columns{{"b", {1, false}}, {"a", {"x", "y"}}}
    assert.same({"b", "a"}, t.columns)
    assert.same({1, false}, t:column "b")
    assert.same({"a", "b"}, nn.data.Table.from_columns{b = {1}, a = {"x"}}.columns)
    raises("column 'a' has 1 rows, 'b' has 2", nn.data.Table.from_columns,
      {{"b", {1, 2}}, {"a", {"x"}}})
  end)
end)
