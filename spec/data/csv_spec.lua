-- nn.data.csv by the rules that ../shared/data/messy states, case by case, and its way of reading
-- in portions, which gives the same.

local nn = require "nnlua"
local json = require "spec.support.json"
local support = require "spec.data.support"

local folder = support.shared .. "messy/"

local function options_of(case, path)
  local options = {path}
  for key, v in pairs(case.options) do options[key] = v end
  if options.quote == "" then options.quote = false end
  return options
end

local function wanted(cell)
  if cell == nil or cell == nn.core.json.null then return false end
  if cell == "Infinity" then return math.huge end
  if cell == "-Infinity" then return -math.huge end
  return cell
end

local function bytes_of(hex)
  return (hex:gsub("%x%x", function(two) return string.char(tonumber(two, 16)) end))
end

-- Cells are given as values, as the bytes of text, or as lengths of text.
local function check_cells(c, values, rows)
  for i = 1, rows do
    if c.lengths then assert.equal(c.lengths[i], #values[i])
    elseif c.hex then assert.equal(bytes_of(c.hex[i]), values[i])
    else assert.equal(wanted(c.values[i]), values[i]) end
  end
end

local function check_sums(expect, t)
  local names, sum = t.columns, 0
  assert.equal(expect.names_count, #names)
  assert.equal(expect.first_name, names[1])
  assert.equal(expect.last_name, names[#names])
  for _, name in ipairs(names) do
    for _, v in ipairs(t:column(name)) do sum = sum + v end
  end
  assert.equal(expect.sum, sum)
  assert.equal(expect.last_row_last, t:column(names[#names])[#t])
end

local function check_table(case, t)
  local expect = case.expect
  assert.equal(expect.rows, #t)
  if not expect.columns then return check_sums(expect, t) end
  assert.equal(#expect.columns, #t.columns)
  for k, c in ipairs(expect.columns) do
    assert.equal(c.name, t.columns[k])
    assert.equal(c.type, t:type(c.name))
    check_cells(c, t:column(c.name), expect.rows)
  end
end

local function check_error(case, message)
  local e = case.expect.error
  for _, says in ipairs(e.says) do
    local found = false
    for word in says:gmatch("[^|]+") do
      found = found or message:lower():find(word:lower(), 1, true) ~= nil
    end
    assert.is_true(found, ("'%s' is not in: %s"):format(says, message))
  end
  assert.is_truthy(message:find(case.file, 1, true), message)
  if e.line > 0 then assert.is_truthy(message:find("line " .. e.line, 1, true), message) end
  if e.column then assert.is_truthy(message:find("column " .. e.column, 1, true), message) end
end

describe("nn.data.csv", function()
  if support.has_shared() then
    local index = json.decode(support.text(folder .. "index.json"))
    for i, case in ipairs(index.cases) do
      it(("reads case %d, %s"):format(i, case.file), function()
        local ok, result = pcall(nn.data.csv, options_of(case, folder .. case.file))
        if case.expect.error then
          assert.is_false(ok)
          check_error(case, result)
        else
          assert.is_true(ok, tostring(result))
          check_table(case, result)
        end
      end)
    end
  end

  it("reads text instead of a file", function()
    local t = nn.data.csv{"memory", text = "a;b\n1,5;x\n", delimiter = ";", decimal = ","}
    assert.same({1.5}, t:column "a")
    assert.same({"x"}, t:column "b")
  end)

  it("names wrong arguments", function()
    support.raises("csv: path is missing", nn.data.csv, {})
    support.raises("unknown argument 'delimeter'; did you mean 'delimiter'?", nn.data.csv,
      {"x.csv", delimeter = ";"})
    support.raises("delimiter is not one character", nn.data.csv,
      {"x.csv", text = "a\n", delimiter = ";;"})
    support.raises("types maps a column's name", nn.data.csv,
      {"x.csv", text = "a\n", types = {a = "integer"}})
    support.raises("no-such-file.csv: cannot open", nn.data.csv, "no-such-file.csv")
  end)
end)

-- A file of more than a window whose records are quoted, long, empty, ended in three ways.
local function wild_text(rows)
  local parts, state = {"id,text,number\n"}, 1
  local function random(n)
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % n
  end
  local ends = {"\n", "\r\n", "\r"}
  for i = 1, rows do
    local text = ("ab\"\"c,d\r\ne\n"):rep(random(6)) .. ("x"):rep(random(40))
    if random(500) == 0 then text = text .. ("long "):rep(20000) end
    local number = random(9) == 0 and "" or tostring(random(1000) / 8)
    parts[#parts + 1] = ('%d,"%s",%s%s'):format(i, text, number, ends[random(3) + 1])
    if random(50) == 0 then parts[#parts + 1] = "\n" end
  end
  return table.concat(parts)
end

describe("core.io.csv_reader", function()
  it("reads in portions what csv reads at once", function()
    support.with_file(".csv", function(path)
      support.write(path, wild_text(30000))
      local whole = nn.data.csv(path)
      assert.equal(30000, #whole)
      local want = {}
      for _, name in ipairs(whole.columns) do want[name] = whole:column(name) end
      for _, size in ipairs {7777, 30001} do
        local reader, row = nn.core.io.csv_reader(path, {}, size, size == 7777), 0
        while true do
          local count, columns = reader:next()
          if count == 0 then break end
          for _, c in ipairs(columns) do
            local list = want[c.name]
            for i, v in ipairs(nn.core.column.list(c.values)) do
              if v ~= list[row + i] then error("row " .. row + i .. " of " .. c.name) end
            end
          end
          row = row + count
        end
        assert.equal(30000, row)
        reader:close()
        reader:close()
      end
    end)
  end)

  it("finds errors behind the first window, with their line", function()
    support.with_file(".csv", function(path)
      local lines = {"a,b"}
      for i = 1, 400000 do lines[#lines + 1] = i .. ",x" end
      lines[300002] = "oops,x"
      support.write(path, table.concat(lines, "\n"))
      local reader = nn.core.io.csv_reader(path, {}, 10000, true)
      local total = 0
      support.raises('line 300002, column 1 ("a"): "oops" is not a number', function()
        repeat
          local count = reader:next()
          total = total + count
        until count == 0
      end)
      assert.equal(300000, total)
    end)
  end)
end)
