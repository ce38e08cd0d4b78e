-- nn.utils.to_categorical, normalize and the reports on classifiers; numbers worked out by hand.

local nn = require "nnlua"
local support = require "spec.data.support"

local raises, utils = support.raises, nn.utils

describe("to_categorical", function()
  it("makes one-hot rows", function()
    assert.same({{1, 0, 0}, {0, 0, 1}}, utils.to_categorical{{0, 2}}:totable())
    assert.same({{1, 0, 0}, {0, 0, 1}}, utils.to_categorical({0, 2}, 3):totable())
    assert.same({{1, 0}, {0, 1}}, utils.to_categorical(nn.tensor{{0}, {1}}):totable())
    assert.same({2, 2, 3}, utils.to_categorical(nn.tensor{{0, 1}, {2, 0}}, 3).shape)
    raises("x holds class 3, expected 0 to 1", utils.to_categorical, {0, 3}, 2)
    raises("x holds class -1", utils.to_categorical, {0, -1}, 2)
  end)
end)

describe("normalize", function()
  it("divides by the norm along an axis", function()
    local x = nn.tensor{{3, 4}, {0, 0}}
    support.near({0.6, 0.8, 0, 0}, utils.normalize(x):reshape{-1}:totable(), 1e-6)
    support.near({1, 1, 0, 0}, utils.normalize{x, axis = 1}:reshape{-1}:totable(), 1e-6)
    support.near({3 / 7, 4 / 7, 0, 0}, utils.normalize{x, order = 1}:reshape{-1}:totable(), 1e-6)
  end)
end)

describe("reports on classifiers", function()
  local y_true = {0, 0, 0, 1, 1, 2, 2, 2, 2, 2}
  local y_pred = {0, 0, 1, 1, 2, 2, 2, 2, 0, 2}

  it("count by true and predicted class", function()
    local want = {{2, 1, 0}, {0, 1, 1}, {1, 0, 4}}
    assert.same(want, utils.confusion_matrix{y_true, y_pred}:totable())
    assert.same(want, utils.confusion_matrix(nn.utils.to_categorical(nn.tensor(y_true)),
      nn.utils.to_categorical(nn.tensor(y_pred))):totable())
    assert.same({4, 4}, utils.confusion_matrix{y_true, y_pred, num_classes = 4}.shape)
    raises("y_true has 10 rows but y_pred has 2", utils.confusion_matrix, y_true, {0, 1})
    raises("class 2", utils.confusion_matrix, {y_true, y_pred, num_classes = 2})
    raises("class -1", utils.confusion_matrix, {0, -1}, {0, 0})
  end)

  it("tell precision, recall and F1", function()
    local r = utils.classification_report{y_true, y_pred, names = {"a", "b", "c"}}
    support.near({2 / 3, 2 / 3, 2 / 3}, {r[1].precision, r[1].recall, r[1].f1_score}, 1e-12)
    support.near({1 / 2, 1 / 2, 1 / 2}, {r[2].precision, r[2].recall, r[2].f1_score}, 1e-12)
    support.near({4 / 5, 4 / 5, 4 / 5}, {r[3].precision, r[3].recall, r[3].f1_score}, 1e-12)
    assert.same({3, 2, 5}, {r[1].support, r[2].support, r[3].support})
    support.near({0.7}, {r.accuracy}, 1e-12)
    support.near({(2 / 3 + 1 / 2 + 4 / 5) / 3}, {r.macro.precision}, 1e-12)
    support.near({(3 * 2 / 3 + 2 / 2 + 5 * 4 / 5) / 10}, {r.weighted.recall}, 1e-12)
    assert.is_truthy(tostring(r):find("accuracy%s+0.7000%s+10"))
    -- a class that nobody predicts counts as 0
    assert.equal(0, utils.classification_report({0, 1}, {0, 0})[2].precision)
  end)

  it("weigh rare classes", function()
    local w = utils.balanced_class_weight(y_true)
    support.near({10 / 9, 10 / 6, 10 / 15}, {w[0], w[1], w[2]}, 1e-12)
    assert.same(w, utils.balanced_class_weight(nn.utils.to_categorical(nn.tensor(y_true))))
  end)

  it("find the columns that matter", function()
    nn.set_random_seed(2)
    local x = nn.random.normal{{400, 3}, seed = 1}
    local y = (x:slice{{}, {2, 2}} * 3):clone()
    local m = nn.Sequential{nn.layers.Dense{1, input_shape = {3}}}
    m:compile{optimizer = nn.optimizers.SGD{0.1}, loss = "mse", metrics = {"mae"}}
    m:fit{x, y, epochs = 20, verbose = 0}
    local got = utils.permutation_importance{m, x, y, repeats = 3, seed = 1}
    assert.equal(3, #got)
    -- shuffling x2 leaves the expected loss 2 * 9 * var(x2) = 18
    assert.is_true(got[2] > 12 and got[2] < 24, got[2])
    assert.is_true(math.abs(got[1]) < 0.1 and math.abs(got[3]) < 0.1)
    local again = utils.permutation_importance{m, x, y, repeats = 3, seed = 1}
    assert.same(got, again)
    local mae = utils.permutation_importance{m, x, y, metric = "mae", seed = 1}
    assert.is_true(mae[2] > 1)
    raises("there is no metric 'auc'", utils.permutation_importance, {m, x, y, metric = "auc"})
  end)
end)
