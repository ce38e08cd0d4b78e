-- Linear algebra, bits and Fourier transforms against NumPy and SciPy in double precision.

local nn = require "nnlua"
local core = require "nnlua.core"

-- Made by NumPy 2 and SciPy.
local want = {
  A = {{{2.04099989, -2.55599999, 0.418000013}, {-0.568000019, -0.453000009, -0.216000006},
    {-2.01999998, -0.231999993, -0.86500001}}, {{3.32299995, 0.225999996, -0.352999985},
    {-0.280999988, -0.667999983, -1.05499995}, {-0.391000003, 0.481999993, -0.238999993}}},
    B = {{{0.958000004, -0.200000003}, {0.0240000002, 1.546}, {0.545000017, -0.504999995}},
    {{-0.182999998, 0.541000009}, {1.93499994, -0.270000011}, {-0.244000003, 1.00199997}}},
    T = {{-0.885999978, -0.291999996, 0.883000016}, {0.579999983, 0.0920000002, 0.670000017},
    {-2.82800007, 1.02100003, -0.959999979}, {-1.66900003, 0.275999993, 0.700999975}},
    P = {{2.35599995, -1.47000003, -1.28799999}, {-1.47000003, 3.53800011, 1.39900005},
    {-1.28799999, 1.39900005, 2.31699991}},
    R = {{1, 2, 3}, {2, 4, 6}, {1, 0, 1}},
    S = {{-0.444999993, -1.07599998, 0.0260000005}, {-0.0529999994, 1.40600002, 0.746999979},
    {0.194000006, 1.11199999, -0.206}},
    det = {0.510644351, 2.43836073},
    sign = {1, 1},
    logabs = {-0.672081918, 0.891325981},
    inv = {{{0.669219216, -4.5196153, 1.45198908}, {-0.107707085, -1.80380906, 0.398382891},
    {-1.533913, 11.0382733, -4.65369099}}, {{0.274020964, -0.0476270766, -0.194488848},
    {0.141630392, -0.382314212, 1.47843497}, {-0.162662556, -0.693109897, -0.884306366}}},
    solve = {{{1.32397532, -7.85442359}, {0.0706438767, -2.96833075}, {-3.74083177,
    19.7220671}}, {{-0.0948489471, -0.0337731649}, {-1.12643448, 1.66123869}, {-1.09562961,
    -0.78693572}}},
    chol = {{1.53492669, 0, 0}, {-0.95770048, 1.61889156, 0}, {-0.839128015, 0.367761967,
    1.21557197}},
    eigw = {1.04699379, 1.55307834, 5.61092783},
    svals = {3.59007186, 1.62758101, 0.469936793},
    q = {{-0.256789567, 0.782535759, 0.127856354}, {0.168101522, -0.362469247, 0.824524153},
    {-0.819639879, -0.4529277, -0.178683348}, {-0.483726644, 0.226075937, 0.521425868}},
    r = {{3.45029585, -0.879912996, 0.333644731}, {0, -0.661889847, 1.0414145}, {0, 0,
    1.20238389}},
    qc = {{-0.256789567, 0.782535759, 0.127856354, -0.552584525}, {0.168101522, -0.362469247,
    0.824524153, -0.400646784}, {-0.819639879, -0.4529277, -0.178683348, -0.301859618},
    {-0.483726644, 0.226075937, 0.521425868, 0.66559242}},
    qw = {{-0.68976071, -0.682334395, 0.242177491}, {-0.227325203, -0.113478559, -0.967184506},
    {0.687425207, -0.722178919, -0.0768387531}},
    rw = {{1.2845034, 0.0395997813, 1.05861611, 1.57035394}, {0, -0.890053853, 2.50707185,
    0.601248639}, {0, 0, -1.59860817, -0.72500112}},
    pinv = {{-0.343550358, 0.397226089, -0.108303143, -0.0952318564}, {-1.01496677, 1.62656983,
    0.4504762, 0.340757507}, {0.106335718, 0.685741185, -0.14860757, 0.433660059}},
    pinvR = {{-0.0333333333, -0.0666666667, 0.833333333}, {0.0666666667, 0.133333333,
    -0.666666667}, {0.0333333333, 0.0666666667, 0.166666667}},
    lstsq = {-0.105075766, 3.54979475, 1.68950622},
    rank = 2,
    lu = {{2.04099989, -2.55599999, 0.418000013}, {-0.98971097, -2.76170123, -0.451300811},
    {-0.278294978, 0.42159592, 0.0905938794}},
    piv = {1, 3, 3},
    tril = {{0.469377784, -0.0979911876}, {-0.641515638, -3.28993593}, {-1.55411733,
    1.69503733}},
    triu = {{0.908296501, -4.84012167}, {0.247444789, -3.69117885}, {-0.630057816,
    0.583815017}},
    i0 = {1, 1.26606588, 7.37820343, 11.301922, 1093.58835},
    rf_re = {2.75, -2.37233922, 3.49733922},
    rf_im = {0, 3.60934029, -1.05512447},
    rf8_re = {2.75, -2.78553391, 0.75, 4.28553391, 0.75},
    rf8_im = {0, -1.20710678, 5, -0.207106781, 0},
    f2_re = {{1.70500002, -3.54111348, 0.924113494}, {-1.46687225, -0.40639322, 4.09917204},
    {-4.72312768, -3.53917199, 2.94339312}},
    f2_im = {{-4.45100011, 0.647227616, 2.16277216}, {1.21397451, 7.17930111, 2.25344889},
    {2.94602532, 4.36655084, 2.05069867}},
}

local given = {}
for name in ("ABPRST"):gmatch "." do given[name] = core.new(want[name]) end

local function near(expected, got, tolerance)
  if core.is_tensor(expected) then expected = core.totable(expected) end
  if type(expected) == "number" then
    local v = type(got) == "number" and got or got:item()
    local close = v == expected
      or math.abs(v - expected) <= (tolerance or 2e-5) * math.max(1, math.abs(expected))
    assert.is_true(close, ("%s, expected %s"):format(v, expected))
    return
  end
  if core.is_tensor(got) then got = core.totable(got) end
  assert.equal(#expected, #got)
  for i = 1, #expected do near(expected[i], got[i], tolerance) end
end

-- sum(w f(x)) moved along a direction, against the gradient.
local function check_gradient(f, value)
  local x, w = nn.Variable(value * 1)
  local function loss()
    local total
    for i, y in ipairs {f(x.tensor)} do
      w = w or {}
      w[i] = w[i] or core.reshape(nn.ops.sin(nn.ops.arange(1, y.size + 1) * 1.7), y.shape)
      local term = nn.ops.sum(y * w[i])
      total = total and total + term or term
    end
    return total
  end
  local _, grads = nn.value_and_grad(loss, {x})
  local base = value
  local v = core.reshape(nn.ops.cos(nn.ops.arange(1, base.size + 1) * 0.9), base.shape)
  local slope = nn.ops.sum(grads[1] * v):item()
  local h = 1e-2
  x:assign(base + v * h)
  local up = loss():item()
  x:assign(base - v * h)
  local difference = (up - loss():item()) / (2 * h)
  assert.is_true(math.abs(slope - difference) <= 0.02 * math.max(0.5, math.abs(difference)),
    ("%g, differences give %g"):format(slope, difference))
end

local ops = nn.ops

describe("Linear algebra", function()
  it("finds determinants", function()
    near(want.det, ops.det(given.A))
    local sign, size = ops.slogdet(given.A)
    near(want.sign, sign)
    near(want.logabs, size)
    near(want.logabs, ops.logdet(given.A))
    near(0, ops.det(given.R))
  end)

  it("solves systems", function()
    near(want.solve, ops.solve(given.A, given.B))
    near(want.inv, ops.inv(given.A))
    near(want.tril, ops.solve_triangular(given.A[1], given.B[1], true))
    near(want.triu, ops.solve_triangular(given.A[1], given.B[1]))
    near({1, 2}, ops.solve(core.new {{2, 0}, {0, 4}}, core.new {2, 8}))
    assert.error_matches(function() ops.inv(given.R) end, "singular")
    assert.error_matches(function() ops.inv(given.T) end, "square")
  end)

  it("decomposes", function()
    near(want.chol, ops.cholesky(given.P))
    near(want.chol, ops.transpose(ops.cholesky(given.P, true)))
    near(given.P, ops.inv(ops.cholesky_inverse(ops.cholesky(given.P))), 1e-4)
    near(given.P, ops.inv(ops.cholesky_inverse(ops.cholesky(given.P, true), true)), 1e-4)
    local lu, pivots = ops.lu_factor(given.A[1])
    near(want.lu, lu)
    near(want.piv, pivots)
    local q, r = ops.qr(given.T)
    near(want.q, q)
    near(want.r, r)
    near(want.qc, (ops.qr(given.T, "complete")))
    q, r = ops.qr(ops.transpose(given.T))
    near(want.qw, q)
    near(want.rw, r)
    local indefinite = core.new {{1, 2}, {2, 1}}
    assert.error_matches(function() ops.cholesky(indefinite) end, "positive definite")
  end)

  it("finds eigenvalues and singular values", function()
    local w, v = ops.eigh(given.P)
    near(want.eigw, w)
    near(given.P, ops.matmul(v * w, ops.transpose(v)))
    near(want.eigw, (ops.eig(given.P)))
    assert.error_matches(function() ops.eig(given.S) end, "not symmetric")
    near(want.svals, ops.svd(given.T, true, false))
    for _, x in ipairs {given.T, ops.transpose(given.T), given.R} do
      local u, s, vt = ops.svd(x, false)
      near(x, ops.matmul(u * s, vt))
      u, _, vt = ops.svd(x)
      near(core.totable(ops.eye(u.shape[1])), ops.matmul(u, ops.transpose(u)))
      near(core.totable(ops.eye(vt.shape[1])), ops.matmul(vt, ops.transpose(vt)))
    end
  end)

  it("inverts what has no inverse", function()
    near(want.pinv, ops.pinv(given.T))
    near(want.pinvR, ops.pinv(given.R, 1e-5))
    near(want.lstsq, ops.lstsq(given.T, {0, 1, 2, 3}))
    assert.equal(want.rank, ops.matrix_rank(given.R):item())
  end)

  for name, f in pairs {
    det = ops.det, logdet = ops.logdet, inv = ops.inv,
    cholesky = function(x) return ops.cholesky((x + ops.transpose(x)) / 2) end,
    ["solve in a"] = function(a) return ops.solve(a, given.B[1]) end,
    ["solve in b"] = function(b) return ops.solve(given.A[1], b) end,
    ["solve_triangular in a"] = function(a) return ops.solve_triangular(a, given.B[1], true) end,
    ["solve_triangular in b"] = function(b) return ops.solve_triangular(given.P, b) end,
    eigh = function(x)
      local w, v = ops.eigh((x + ops.transpose(x)) / 2)
      return w, v * v
    end,
    svd = function(x) return ops.svd(x, true, false) end,
  } do
    it("has the gradient of " .. name, function() check_gradient(f, given.P) end)
  end
end)

describe("Bits and divisors", function()
  local a, b = ops.array({12, -7, 255}, "int32"), ops.array({10, 3, 128}, "int32")

  it("are those of whole numbers", function()
    near({8, 1, 128}, ops.bitwise_and(a, b))
    near({14, -5, 255}, ops.bitwise_or(a, b))
    near({6, -6, 127}, ops.bitwise_xor(a, b))
    near({-13, 6, -256}, ops.bitwise_not(a))
    near({48, -28, 1020}, ops.left_shift(a, 2))
    near({3, -2, 63}, ops.bitwise_right_shift(a, 2))
    near({2, 1, 1}, ops.gcd(a, b))
    near({60, 21, 32640}, ops.lcm(a, b))
    assert.equal("int32", ops.bitwise_and(a, b).dtype)
    assert.error_matches(function() ops.bitwise_and(1.5, 2) end, "whole")
  end)

  it("reads bytes as other numbers", function()
    near({1065353216, -1073741824}, ops.view({1.0, -2.0}, "int32"))
    near({1.0, -2.0}, ops.view(ops.array({1065353216, -1073741824}, "int32"), "float32"))
    assert.same({8}, ops.view({1.0, -2.0}, "uint8").shape)
    assert.is_true(ops.nextafter(1.0, 2.0):item() == 1 + 2.0 ^ -23)
    near(want.i0, ops.i0(core.new {0, -1, 3.5, 4, 9}), 1e-6)
  end)
end)

describe("Fourier transforms", function()
  local x = core.new {1, -2, 0.5, 3, 0.25}

  it("are NumPy's", function()
    local re, im = ops.rfft(x)
    near(want.rf_re, re)
    near(want.rf_im, im)
    re, im = ops.rfft(x, 8)
    near(want.rf8_re, re)
    near(want.rf8_im, im)
    near({1, -2, 0.5, 3, 0.25, 0, 0, 0}, ops.irfft {re, im})
    re, im = ops.fft2 {given.S, given.A[1]}
    near(want.f2_re, re)
    near(want.f2_im, im)
    re, im = ops.ifft2 {re, im}
    near(given.S, re)
    near(given.A[1], im)
  end)
end)

describe("Windows as functions", function()
  it("do what the layers do", function()
    local x = core.reshape(ops.sin(ops.arange(1, 61) * 1.0), {1, 5, 4, 3})
    local layer = nn.layers.Conv2D{4, {2, 3}, padding = "same", use_bias = false}
    near(core.totable(layer(x)), ops.conv(x, layer.kernel, {padding = "same"}), 1e-6)
    layer = nn.layers.SeparableConv2D{4, 2, depth_multiplier = 2, use_bias = false}
    near(core.totable(layer(x)), ops.separable_conv(x, layer.depthwise_kernel,
      layer.pointwise_kernel), 1e-6)
    layer = nn.layers.Conv2DTranspose{4, 2, strides = 2, use_bias = false}
    near(core.totable(layer(x)), ops.conv_transpose(x, layer.kernel, 2), 1e-6)
    near(core.totable(nn.layers.MaxPooling2D{2}(x)), ops.max_pool(x, 2), 0)
    near(core.totable(nn.layers.AveragePooling2D{2}(x)), ops.average_pool(x, 2), 1e-6)
    near(core.totable(nn.layers.AdaptiveAveragePooling2D{2}(x)),
      ops.adaptive_average_pool(x, 2), 1e-6)
  end)
end)
