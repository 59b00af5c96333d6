// Package pool has the signatures of github.com/sourcegraph/conc/pool that the pages use, and does what they rely on.
package pool

import (
	"context"
	"sync"
)

type Pool struct {
	limit int
}

type ErrorPool struct {
	limit int
}

type ContextPool struct {
	ctx     context.Context
	cancel  context.CancelFunc
	slots   chan struct{}
	running sync.WaitGroup
	first   sync.Once
	err     error
}

func New() *Pool {
	return &Pool{}
}

func (p *Pool) WithMaxGoroutines(n int) *Pool {
	p.limit = n
	return p
}

func (p *Pool) WithErrors() *ErrorPool {
	return &ErrorPool{limit: p.limit}
}

func (p *ErrorPool) WithContext(ctx context.Context) *ContextPool {
	ctx, cancel := context.WithCancel(ctx)
	return &ContextPool{ctx: ctx, cancel: cancel, slots: make(chan struct{}, p.limit)}
}

func (p *ContextPool) WithCancelOnError() *ContextPool {
	return p
}

func (p *ContextPool) WithFirstError() *ContextPool {
	return p
}

func (p *ContextPool) Go(f func(ctx context.Context) error) {
	p.slots <- struct{}{}
	p.running.Add(1)
	go func() {
		defer p.running.Done()
		if err := f(p.ctx); err != nil {
			p.first.Do(func() {
				p.err = err
				p.cancel()
			})
		}
		<-p.slots
	}()
}

func (p *ContextPool) Wait() error {
	p.running.Wait()
	p.cancel()
	return p.err
}
