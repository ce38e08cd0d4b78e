-- No call ends the process, whatever a script passes: every public function, class and method is
-- called with values of every type. What they raise is held to have a text.

local nn = require "nnlua"
local core = require "nnlua.core"
local run = require "spec.support.run"
local terminal = require "nnlua.terminal"

local namespaces = {"activations", "callbacks", "config", "constraints", "data", "initializers",
  "layers", "losses", "metrics", "ops", "optimizers", "random", "regularizers", "saving", "utils"}

-- What would stop or change the run of the specs, or wait for the network.
local left_out = {["config.set_num_threads"] = true, ["callbacks.RemoteMonitor"] = true,
  ["utils.get_file"] = true}

local function values()
  return {
    false, true, 0, -1, 2, 1e308, -1e308, 0 / 0, 0.5, math.maxinteger, math.mininteger, "",
    "garbage", {}, {{}}, {1, 2}, {-1}, {"a"}, {a = 1}, {{1, 2}, {3}},
    function() end, function() return 1 end, function() error "own" end,
    coroutine.create(function() end), io.stdout, nn.zeros {0}, nn.ones {2, 3}, nn.tensor(1),
    nn.tensor({1, -7, 1 << 12}, "int32"), nn.zeros({2, 2}, "uint8"), nn.ones {4, 4}:transpose(),
    nn.Variable(nn.ones {2}), nn.Input {shape = {2}}, setmetatable({}, {__index = error}),
    setmetatable({}, {__len = function() return -5 end}),
    nn.layers.Dense, nn.layers.Dense(2),
    nn,
  }
end

local seed = 1
local function pick(list)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return list[seed // 65536 % #list + 1]
end

local function quiet(f, ...)
  local ok, e = pcall(f, ...)
  if not ok then
    local text = type(e) == "string" or (type(e) == "table" and getmetatable(e) ~= nil)
    assert.is_true(text, "an error without a text: " .. tostring(e))
  end
  return ok, e
end

-- A time limit by counting instructions: garbage can ask for work that is large and right.
local function limited(f, ...)
  local function stop() error("took too long", 0) end
  debug.sethook(stop, "", 2000000)
  local ok, e = quiet(f, ...)
  debug.sethook()
  return ok, e
end

local function try(f, self)
  local list = values()
  local function call(...)
    if self ~= nil then return limited(f, self, ...) end
    return limited(f, ...)
  end
  call()
  call(nil)
  for _, v in ipairs(list) do call(v) end
  for _ = 1, 6 do
    call(pick(list), pick(list))
    call(pick(list), pick(list), pick(list))
    call {pick(list), pick(list)}
    call {pick(list), pick(list), pick(list)}
  end
end

local function names_of(t)
  local out = {}
  for name in pairs(t) do
    if type(name) == "string" then out[#out + 1] = name end
  end
  table.sort(out)
  return out
end

local function callable(v)
  if type(v) == "function" then return true end
  local mt = type(v) == "table" and getmetatable(v)
  return mt and mt.__call ~= nil
end

local function muffled(f)
  local saved = {terminal.write, terminal.warn, print, warn}
  terminal.write, terminal.warn = function() end, function() end
  rawset(_G, "print", function() end)
  warn "@off"
  local ok, e = pcall(f)
  terminal.write, terminal.warn = saved[1], saved[2]
  rawset(_G, "print", saved[3])
  assert.is_true(ok, e)
end

-- The names in a namespace: those that its files define, whether they are loaded yet or not.
local function names_in(space)
  local seen = {}
  for _, file in ipairs(core.sys.listdir("lua/nnlua/" .. space) or {}) do
    local module = file:match "^(.*)%.lua$"
    local value = module and module ~= "init" and require(("nnlua.%s.%s"):format(space, module))
    for name in pairs(type(value) == "table" and value or {}) do seen[name] = true end
    if type(value) == "table" and rawget(value, "class_name") then seen[value.class_name] = true end
  end
  for name in pairs(nn[space]) do seen[name] = true end
  local list = {}
  for _, name in ipairs(names_of(seen)) do
    local found, value = pcall(function() return nn[space][name] end)
    if found and value ~= nil and not left_out[space .. "." .. name] then list[#list + 1] = name end
  end
  return list
end

-- Every method that an object's classes have.
local function methods_of(object)
  local out, class = {}, getmetatable(object)
  while type(class) == "table" do
    for _, name in ipairs(names_of(class)) do
      if type(class[name]) == "function" and not name:find "^__" then out[name] = class[name] end
    end
    class = class.super
  end
  return out
end

-- Numbers and texts among the values are names of files and folders too; a file that was not
-- written to its end has its process behind its name.
local function is_value(name)
  name = name:gsub("%.tmp%-%d+%-%d+$", "")
  return name == "garbage" or tonumber(name) ~= nil or name:find "^%-?nan" ~= nil
end

local function sweep(folder)
  for _, name in ipairs(core.sys.listdir(folder) or {}) do
    local path = folder .. "/" .. name
    if folder ~= "." or is_value(name) then
      if not os.remove(path) then
        sweep(path)
        os.remove(path)
      end
    end
  end
end

describe("with values of every type, no crash comes of", function()
  teardown(function()
    collectgarbage() -- closes what is open
    sweep "."
  end)

  for _, space in ipairs(namespaces) do
    it("nn." .. space, function()
      muffled(function()
        for _, name in ipairs(names_in(space)) do
          if callable(nn[space][name]) then try(nn[space][name]) end
        end
      end)
      assert.is_nil(core.recording())
    end)
  end

  it("nn", function()
    muffled(function()
      for _, name in ipairs(names_of(nn)) do
        if callable(nn[name]) then try(nn[name]) end
      end
    end)
    assert.is_nil(core.recording())
  end)

  local function model()
    local m = nn.Sequential{nn.layers.Dense{2, input_shape = {3}}}
    m:compile{loss = "mse"}
    return m
  end

  local objects = {
    Sequential = model,
    Model = function()
      local x = nn.Input{shape = {3}}
      return nn.Model{inputs = x, outputs = nn.layers.Dense(2)(x)}
    end,
    Dense = function() return nn.layers.Dense(2) end,
    Normalization = function() return nn.layers.Normalization() end,
    Variable = function() return nn.Variable(nn.ones{2, 3}) end,
    Input = function() return nn.Input{shape = {3}} end,
    Adam = function() return nn.optimizers.Adam() end,
    Loss = function() return nn.losses.MeanSquaredError() end,
    Metric = function() return nn.metrics.AUC() end,
    Callback = function() return nn.callbacks.EarlyStopping() end,
    Dataset = function() return nn.data.Dataset.from_tensors{nn.ones{4, 3}, nn.ones{4, 2}} end,
    History = function() return model():fit{nn.ones{4, 3}, nn.ones{4, 2}, verbose = 0} end,
  }
  for _, kind in ipairs(names_of(objects)) do
    it("the methods of " .. kind, function()
      muffled(function()
        local methods = methods_of(objects[kind]())
        for _, name in ipairs(names_of(methods)) do
          try(methods[name], objects[kind]())
          try(methods[name])
        end
      end)
      assert.is_nil(core.recording())
    end)
  end

  it("the methods of tensors", function()
    muffled(function()
      for _, name in ipairs(names_of(core.methods)) do
        for _, t in ipairs {nn.ones{2, 3}, nn.zeros{0, 3}, nn.tensor({1, 2}, "int32")} do
          try(core.methods[name], t)
        end
      end
    end)
  end)

  it("the operators and indices of tensors", function()
    for _, t in ipairs {nn.ones{2, 3}, nn.zeros{0}, nn.tensor(1), nn.tensor({1, 2}, "int32")} do
      for _, v in ipairs(values()) do
        quiet(function() return t + v end)
        quiet(function() return v - t end)
        quiet(function() return t % v end)
        quiet(function() return t[v] end)
        quiet(function() t[v] = v end)
        quiet(function() t[1] = v end)
        quiet(function() return #t, -t, tostring(t) end)
      end
    end
  end)

  it("shapes that no memory holds", function()
    for _, shape in ipairs {{1 << 40, 64}, {1 << 62, 4}, {math.maxinteger},
      {1 << 31, 1 << 31, 4}} do
      for _, make in ipairs {nn.zeros, nn.ones, nn.random.normal, nn.random.uniform} do
        assert.is_false((quiet(make, {shape})))
      end
      assert.is_false((quiet(nn.full, {shape, 3})))
      assert.is_false((quiet(core.full, shape, 0)))
      assert.is_false((quiet(function()
        nn.Sequential{nn.layers.Dense{1 << 40, input_shape = {1 << 20}}}
      end)))
    end
  end)

  it("ranges past the end", function()
    local t = nn.ones{3, 4}
    for _, range in ipairs {{0, 2}, {1, 4}, {2, 5}, {math.mininteger, 1}, {1, math.mininteger},
      {1, math.maxinteger}, {1, 2, 0}, {1, 2, -1}} do
      assert.is_false((quiet(core.view, t, {range})))
    end
    assert.equal(1, #core.view(t, {{1, 3, math.maxinteger}}))
    for _, bad in ipairs {{1 << 47, 1 << 47, 1 << 20}, {1, 2, math.maxinteger}, {-5, 1, 1},
      {math.maxinteger, 1, 1}, {1, math.maxinteger, 1}, {1, 0, 1}, {3, 2, 1}} do
      local graph = core.record "trace"
      local x = core.input(graph, {2, 4})
      local y = x * 2
      core.done(graph)
      local plan = core.plan(graph, {inputs = {x}, outputs = {y}})
      assert.is_false((quiet(plan.run, plan, {feeds = {t}, sinks = {nn.zeros{2, 4}}, lr = 0,
        first = bad[1], batch = bad[2], steps = bad[3]})))
    end
  end)

  it("plans that are closed, and outputs that they do not have", function()
    local graph = core.record "trace"
    local x = core.input(graph, {2})
    local y = x + 1
    core.done(graph)
    local plan = core.plan(graph, {inputs = {x}, outputs = {y}})
    for _, i in ipairs {0, 2, -1, 1 << 40} do
      assert.is_false((quiet(plan.output, plan, i)))
      assert.is_false((quiet(plan.set, plan, i, nn.ones{2})))
    end
    plan:close()
    for _, method in ipairs {"run", "forward", "backward", "output", "set", "predict", "bytes"} do
      assert.is_false((quiet(plan[method], plan, 1, nn.ones{2})))
    end
    plan:close()
  end)

  it("tensors traced elsewhere", function()
    local leaked
    local layer = nn.layers.Lambda(function(x) leaked = x return x end)
    layer:compute_output_shape{2, 3}
    for _, f in ipairs {function() return leaked + 1 end, function() return leaked:item() end,
      function() return leaked:totable() end, function() return nn.ops.sum(leaked) end,
      function() return leaked[1] end, function() leaked[1] = 2 end,
      function() return nn.layers.Dense(2)(leaked) end, function() return nn.tensor{leaked} end,
      function() return nn.Variable(leaked) end, function() return core.sha256{leaked} end,
      function() return core.tobytes(leaked) end, function() return core.reshape(leaked, {6}) end,
      function() return nn.value_and_grad(function() return nn.ops.sum(leaked) end, {leaked}) end,
      function() return core.safetensors.write("/nonexistent/x", {{"a", leaked}}) end} do
      assert.is_false((quiet(f)))
    end
    assert.is_string(tostring(leaked))
  end)

  it("views and coroutines where memory is written", function()
    local gaps = nn.ones{4, 4}:transpose()
    assert.is_false((quiet(core.mark_variable, gaps)))
    assert.is_false((quiet(core.apply, "assign", {gaps, nn.zeros{4, 4}})))
    assert.is_false((quiet(nn.value_and_grad, function() return nn.ops.sum(gaps) end, {gaps})))
    local co = coroutine.create(function()
      nn.value_and_grad(function() coroutine.yield() end, {nn.Variable(nn.ones{2})})
    end)
    assert.is_false((coroutine.resume(co)))
    assert.is_nil(core.recording())
  end)

  it("the functions of the core", function()
    local skip = {run_begin = true, set_threads = true, sys = true}
    for _, name in ipairs(names_of(core)) do
      local f = core[name]
      if type(f) == "function" and not skip[name] then
        try(f)
        for _, v in ipairs(values()) do quiet(f, v, {}, {}) end
      elseif type(f) == "table" and not skip[name] and getmetatable(f) == nil
        and name ~= "methods" and name ~= "tensor_metatable" then
        for _, inner in ipairs(names_of(f)) do
          local marks = name == "json" and inner ~= "encode" and inner ~= "decode" -- its tables
          if type(f[inner]) == "function" and not marks then try(f[inner]) end
        end
      end
    end
  end)
end)

describe("garbage", function()
  it("of large tensors is collected before it is as much as what is alive", function()
    local out, message = run {"-e", [[
      local nn = require "nnlua"
      local alive = nn.zeros{4096, 4096} -- 64 MB
      local x = nn.zeros{2048, 2048}
      collectgarbage()
      local before, most = collectgarbage "count", 0
      for _ = 1, 40 do
        local y = x + 1
        most = math.max(most, collectgarbage "count" - before)
      end
      print((most + alive.shape[1] - 4096) // 1024)]]}
    local most = tonumber(out)
    assert.is_truthy(most and most >= 16 and most < 110, out .. message) -- MB
  end)
end)
