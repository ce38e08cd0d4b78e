local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"

-- Called from here, so that messages name a line of this file.
local function message(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return e
end

describe("signatures", function()
  local sig = args.signature("Layer", [[units, activation=None, use_bias=True, size=(1, 2),
    name="d", rate=1e-3]])

  it("read Python's literals", function()
    assert.is_true(sig.index.units.required)
    assert.is_nil(sig.index.activation.default)
    assert.is_true(sig.index.use_bias.default)
    assert.same({1, 2}, sig.index.size.default)
    assert.equal("d", sig.index.name.default)
    assert.equal(1e-3, sig.index.rate.default)
  end)

  it("bind positions and names of one record", function()
    local a, given = args.collect(sig, {5, activation = "relu"})
    assert.equal(5, a.units)
    assert.equal("relu", a.activation)
    assert.is_true(a.use_bias)
    assert.is_true(given.units)
    assert.is_nil(given.use_bias)
  end)

  it("bind plain positions, and names behind them", function()
    assert.is_false(args.collect(sig, 5, nil, false).use_bias)
    assert.equal("x", args.collect(sig, 5, {name = "x"}).name)
  end)

  it("never share a default table", function()
    local a = args.collect(sig, 1)
    a.size[1] = 9
    assert.same({1, 2}, args.collect(sig, 1).size)
  end)

  it("tell None from the default", function()
    assert.is_nil(args.collect(sig, {5, name = args.None}).name)
    assert.equal("d", args.collect(sig, 5).name)
  end)

  it("report what is missing, unknown, too much or twice there", function()
    assert.matches("spec/args_spec.lua:%d+: Layer: units is missing$",
      message(args.collect, sig, {}))
    assert.matches("Layer: unknown argument 'unit'; did you mean 'units'%?$",
      message(args.collect, sig, {unit = 3}))
    assert.matches("7 positional arguments, at most 6",
      message(args.collect, sig, 1, 2, 3, 4, 5, 6, 7))
    assert.matches("'units' is given twice", message(args.collect, sig, {5, units = 5}))
  end)
end)

describe("classes", function()
  it("make objects, inherit methods and computed fields", function()
    local Base = class.new("Base", {args = "name=None"})
    function Base:init(a) self.name = a.name end
    Base.getters.loud = function(o) return o.name:upper() end
    local Sub = Base:extend("Sub")
    local o = Sub{name = "x"}
    assert.equal("X", o.loud)
    assert.is_true(class.is(o, Base))
    assert.is_false(class.is(Base{name = "y"}, Sub))
    assert.is_true(class.is_class(Sub))
    assert.is_false(class.is_class(o))
  end)

  it("send fields with a setter through it", function()
    local seen
    local C = class.new("C", {})
    C.setters.rate = function(_, v) seen = v end
    local o = C()
    o.rate = 3
    assert.equal(3, seen)
    assert.is_nil(rawget(o, "rate"))
  end)
end)

describe("suggestions", function()
  it("name the nearest, and nothing when all are far", function()
    assert.equal("adam", err.nearest("adamm", {"sgd", "adam", "adamax"}))
    assert.equal("glorot_uniform", err.nearest("glorot", {"glorot_uniform", "zeros"}))
    assert.is_nil(err.nearest("xyzzy", {"adam", "sgd"}))
  end)
end)
