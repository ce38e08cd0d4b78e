local core = require "nnlua.core"
local History = require "nnlua.history"
local logs_of = require "nnlua.logs"
local plot = require "nnlua.plot"
local failure = require "spec.support.failure"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"
local support = require "spec.callbacks.support"

-- A run with validation every `every` epochs.
local function history_of(epochs, every)
  local history = History()
  history:set_model({})
  for epoch = 1, epochs do
    local values = {loss = 1 / epoch, accuracy = 1 - 0.5 / epoch}
    if epoch % (every or 1) == 0 then
      values.val_loss, values.val_accuracy = 1.1 / epoch, 0.9 - 0.5 / epoch
    end
    history:on_epoch_end(epoch, logs_of.new(values))
  end
  return history
end

local raises, read = failure.says, files.read
local folder

before_each(function() folder = scratch.make() end)

after_each(function() scratch.remove(folder) end)

local function has_gnuplot()
  local pipe = io.popen("gnuplot --version 2>/dev/null")
  local text = pipe:read "a"
  pipe:close()
  return text:find "^gnuplot" ~= nil
end

describe("History", function()
  it("keeps one number an epoch, names in order", function()
    local history = history_of(4, 2)
    assert.same({1, 2, 3, 4}, history.epoch)
    assert.same({1, 0.5, 1 / 3, 0.25}, history.history.loss)
    assert.equal(2, #history.history.val_loss)
    assert.same({"accuracy", "loss", "val_accuracy", "val_loss"}, history:names())
    assert.same({2, 4}, (select(2, history:series "val_loss")))
    assert.equal(history, history.model.history)
  end)

  it("begins anew with each fit", function()
    local history = History()
    support.fit(history, support.series("loss", {1, 2, 3}))
    local first = history.history
    support.fit(history, support.series("loss", {4}))
    assert.same({1, 2, 3}, first.loss)
    assert.same({4}, history.history.loss)
  end)

  it("writes a table with gaps", function()
    local path = folder .. "/h.csv"
    history_of(2, 2):to_csv(path)
    assert.equal("epoch,accuracy,loss,val_accuracy,val_loss\n1,0.5,1.0,,\n"
      .. "2,0.75,0.5,0.65,0.55\n", read(path))
    raises("history:to_csv: cannot write /nowhere/h.csv", history_of(1).to_csv, history_of(1),
      "/nowhere/h.csv")
  end)
end)

describe("history:plot", function()
  it("has a panel for each quantity, the loss first", function()
    local panels = plot.panels(history_of(3))
    assert.equal("loss", panels[1].title)
    assert.equal("accuracy", panels[2].title)
    assert.equal("validation", panels[1].series[2].role)
    assert.equal(1, #plot.panels(history_of(3), {"accuracy"}))
  end)

  it("marks whole epochs only", function()
    assert.same({1, 2, 3, 4, 5}, plot.whole_ticks(1, 5, 10))
    assert.same({1, 20, 40, 60, 80, 100, 120}, plot.whole_ticks(1, 120, 8))
    assert.same({7}, plot.whole_ticks(7, 7, 8))
    for last = 1, 500, 7 do
      for _, tick in ipairs(plot.whole_ticks(1, last, 9)) do
        assert.equal("integer", math.type(tick))
      end
    end
  end)

  it("draws in the terminal", function()
    local text = support.capture(function() history_of(10):plot {width = 60, height = 8} end)
    local lines = 0
    for line in text:gmatch "[^\n]+" do
      lines = lines + 1
      assert.is_true(utf8.len((line:gsub("\27%[%d+m", ""))) <= 60)
    end
    assert.equal(2 * (8 + 3) + 1, lines)
    assert.is_truthy(text:find("val_accuracy", 1, true))
  end)

  it("draws with plain letters where there is no Unicode", function()
    local lines = require("nnlua.plot.text").lines(plot.panels(history_of(10)), {}, {})
    local text = table.concat(lines, "\n")
    assert.is_nil(text:find "[\128-\255\27]")
    assert.is_truthy(text:find("*", 1, true))
    assert.is_truthy(text:find("o", 1, true))
  end)

  it("draws one epoch, constants and values that are no numbers", function()
    local history = History()
    history:set_model({})
    for epoch, loss in ipairs {1, 0 / 0, math.huge, 1} do
      history:on_epoch_end(epoch, logs_of.new {loss = loss, nothing = 0 / 0})
    end
    support.capture(function()
      history:plot()
      history_of(1):plot()
    end)
    if not has_gnuplot() then return end
    local path = folder .. "/h.svg"
    history:plot {path}
    assert.is_truthy(read(path):find "^<%?xml")
  end)

  it("makes PNG, SVG and PDF files by the ending", function()
    if not has_gnuplot() then return pending "skipped: no gnuplot" end
    for ending, magic in pairs {png = "^\137PNG", svg = "^<%?xml", pdf = "^%%PDF"} do
      local path = folder .. "/h." .. ending
      history_of(5):plot {path, title = "It's \"quoted\"\n$(touch no)", width = 600}
      assert.is_truthy(read(path):find(magic))
    end
  end)

  it("takes any file name for a file name", function()
    if not has_gnuplot() then return pending "skipped: no gnuplot" end
    for _, name in ipairs {"a b.png", "it's.png", "$(x);`y`.png", "-o.png", "%d\\n.png"} do
      local path = folder .. "/" .. name
      history_of(2):plot {path}
      assert.is_truthy(read(path):find "^\137PNG")
      os.remove(path)
    end
    assert.same({}, core.sys.listdir(folder)) -- and no other file came to be
  end)

  it("never starts a program through the path", function()
    local script = require("nnlua.plot.gnuplot").script(plot.panels(history_of(2)),
      {path = "|touch x.png"})
    assert.is_truthy(script:find("set output './|touch x.png.tmp'", 1, true))
    raises("control character", function() history_of(2):plot {"a\nb.png"} end)
  end)

  it("says what is wrong", function()
    local history = history_of(2)
    raises("expected the ending .png, .svg or .pdf", history.plot, history, {"a.gif"})
    raises("no values are named 'los'; did you mean 'loss'?", history.plot, history,
      {metrics = {"los"}})
    raises("there are no epochs to draw", History.plot, History(), {})
    raises("width is 0, expected a whole number above 0", history.plot, history, {width = 0})
    if has_gnuplot() then
      raises("history:plot: cannot write /nowhere/a.png: No such file", history.plot, history,
        {"/nowhere/a.png"})
    end
  end)

  it("names the package where gnuplot is missing", function()
    local popen = io.popen
    io.popen = function() return popen("true") end -- luacheck: ignore
    local history = history_of(2)
    local ok, message = pcall(history.plot, history, {"a.png"})
    io.popen = popen -- luacheck: ignore
    assert.is_false(ok)
    assert.is_truthy(message:find("apt install gnuplot-nox", 1, true))
  end)
end)
