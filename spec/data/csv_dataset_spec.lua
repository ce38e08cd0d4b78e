-- nn.data.csv_dataset: a file in portions trains as the table in memory does.

local nn = require "nnlua"
local support = require "spec.data.support"

local raises, with_file = support.raises, support.with_file

local function sample(path, rows)
  local lines = {"a,kind,b,y"}
  for i = 1, rows do
    lines[#lines + 1] = ("%d,%s,%s,%d"):format(i % 13, ("pqr"):sub(i % 3 + 1, i % 3 + 1),
      i % 7 == 0 and "" or tostring(i % 5 / 2), i % 2)
  end
  support.write(path, table.concat(lines, "\n"))
end

local function model_of()
  nn.set_random_seed(1)
  local m = nn.Sequential{nn.layers.Dense{1, activation = "sigmoid", input_shape = {5}}}
  m:compile{optimizer = "adam", loss = "binary_crossentropy"}
  return m
end

describe("nn.data.csv_dataset", function()
  it("gives the batches of the whole file, pass by pass", function()
    with_file(".csv", function(path)
      sample(path, 1000)
      local t = nn.data.csv(path)
      local fitted = t:drop "y":one_hot():standardize{columns = {"a", "b"}}
      local like = t:drop "y":one_hot{}
      local function prepare(part)
        local x = part:drop "y":one_hot{like = like}:standardize{columns = {"a", "b"},
          like = fitted}
        return x:tensor(), part:select{"y"}:tensor()
      end
      local x, y = prepare(t)
      for _, portion in ipairs {64, 100, 4096} do
        local d = nn.data.csv_dataset{path, batch_size = 32, portion = portion, map = prepare}
        for _ = 1, 2 do
          local row = 0
          for a, b in d:iterate() do
            assert.equal(math.min(32, 1000 - row), #a)
            assert.same(x:slice{{row + 1, row + #a}}:totable(), a:totable())
            assert.same(y:slice{{row + 1, row + #a}}:totable(), b:totable())
            row = row + #a
          end
          assert.equal(1000, row)
        end
        local m, n = model_of(), model_of()
        local want = m:fit{x, y, shuffle = false, epochs = 2, verbose = 0}.history.loss
        support.near(want, n:fit{d, epochs = 2, verbose = 0}.history.loss, 1e-6, "loss")
      end
    end)
  end)

  it("mixes rows inside a portion, anew each pass", function()
    with_file(".csv", function(path)
      local lines = {"i,j"}
      for i = 1, 300 do lines[#lines + 1] = ("%d,%d"):format(i, i * 2) end
      support.write(path, table.concat(lines, "\n"))
      local d = nn.data.csv_dataset{path, batch_size = 50, portion = 100, label = "j",
        shuffle = true, seed = 3}
      local passes = {}
      for p = 1, 2 do
        local seen = {}
        for x, y in d:iterate() do
          for i = 1, #x do
            assert.equal(2 * x[i][1], y[i][1])
            seen[#seen + 1] = math.tointeger(x[i][1])
          end
        end
        passes[p] = table.concat(seen, " ")
        for i, v in ipairs(seen) do assert.equal((i - 1) // 100, (v - 1) // 100) end
        table.sort(seen)
        for i, v in ipairs(seen) do assert.equal(i, v) end
      end
      assert.not_equal(passes[1], passes[2])
    end)
  end)

  -- All batches of a pass, as numbers.
  local function pass(d)
    local list = {}
    for x, y in d:iterate() do list[#list + 1] = {x:totable(), y:totable()} end
    return list
  end

  it("puts the portions aside at the first pass, which changes nothing", function()
    with_file(".csv", function(path)
      sample(path, 500)
      local function make(keep)
        return nn.data.csv_dataset{path, batch_size = 32, portion = 96, label = "y", keep = keep,
          shuffle = true, seed = 5, map = function(t)
            return t:select{"a"}:tensor(), t:select{"y"}:tensor()
          end}
      end
      local a, b = make(false), make(true)
      for _ = 1, 3 do assert.same(pass(a), pass(b)) end
      local first = b:iterate()
      first()
      assert.same(pass(nn.data.csv_dataset{path, batch_size = 500, label = "y",
        map = function(t) return t:select{"a"}:tensor(), t:select{"y"}:tensor() end}),
        pass(nn.data.csv_dataset{path, batch_size = 500, keep = true, label = "y",
          map = function(t) return t:select{"a"}:tensor(), t:select{"y"}:tensor() end}))
    end)
  end)

  it("calls map in each pass, but where the result is kept", function()
    with_file(".csv", function(path)
      sample(path, 100)
      for keep, want in pairs {[true] = 1, [false] = 3} do
        local calls = 0
        local d = nn.data.csv_dataset{path, keep = keep, map = function(t)
          calls = calls + 1
          return t:select{"a"}:tensor(), t:select{"y"}:tensor()
        end}
        for _ = 1, 3 do pass(d) end
        assert.equal(want, calls)
      end
    end)
  end)

  it("reads the file again where it changed, and after a pass that was left", function()
    with_file(".csv", function(path)
      support.write(path, "a,y\n1,0\n2,1\n3,0\n")
      local d = nn.data.csv_dataset{path, batch_size = 1, portion = 1, label = "y"}
      local left, other = d:iterate(), d:iterate()
      assert.equal(1, left():item())
      assert.equal(1, other():item())
      assert.equal(2, left():item()) -- two passes at once do not disturb each other
      assert.equal(2, other():item())
      assert.equal(3, #pass(d))
      assert.equal(3, #pass(d))
      support.write(path, "a,y\n7,0\n8,1\n9,0\n10,1\n")
      assert.same({{{7}}, {{0}}}, pass(d)[1])
      assert.equal(4, #pass(d))
    end)
  end)

  it("trains with the same bits whether portions are kept, by steps too", function()
    with_file(".csv", function(path)
      local lines = {"a,b,c,d,e,y"}
      for i = 1, 333 do
        lines[#lines + 1] = ("%d,%d,%d,%d,%d,%d"):format(i % 3, i % 5, i % 7, i % 11, i % 13, i % 2)
      end
      support.write(path, table.concat(lines, "\n"))
      local function train(keep, steps)
        local d = nn.data.csv_dataset{path, batch_size = 32, portion = 64, label = "y", keep = keep,
          shuffle = true, seed = 3}
        local m = model_of()
        local h = m:fit{d, epochs = 4, verbose = 0, steps_per_epoch = steps,
          callbacks = keep and {{on_train_batch_end = function() end}} or nil}
        return h.history.loss
      end
      assert.same(train(false), train(true))
      assert.same(train(false, 2), train(true, 2))
      local d = nn.data.csv_dataset{path, batch_size = 32, portion = 64, label = "y",
        shuffle = true, seed = 3}
      local by_batch = model_of():fit{d:map(function(x, y) return x, y end), epochs = 4,
        verbose = 0}.history.loss
      support.near(by_batch, train(true), 1e-6, "loss")
    end)
  end)

  it("says what is wrong with a file or an argument", function()
    with_file(".csv", function(path)
      support.write(path, "a,y\n1,0\n2,1\nx,1\n")
      local d = nn.data.csv_dataset{path, batch_size = 1, portion = 2, label = "y"}
      raises('line 4, column 1 ("a"): "x" is not a number', function()
        for _ in d:iterate() do end -- luacheck: ignore
      end)
      raises("no column 'z'", nn.data.csv_dataset{path, label = "z"}:iterate())
    end)
    raises("csv_dataset: path is missing", nn.data.csv_dataset)
    raises("batch_size is 0", nn.data.csv_dataset, {"x.csv", batch_size = 0})
    raises("map is 3", nn.data.csv_dataset, {"x.csv", map = 3})
    local absent = nn.data.csv_dataset{"absent.csv"}
    raises("absent.csv: cannot open", absent.iterate, absent)
  end)
end)
